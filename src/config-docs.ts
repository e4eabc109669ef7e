// The README's configuration table and .env.example, made from the table in config-variables.ts. Pure.
import type { Variable } from "./base/settings.ts";
import { CONFIG_VARIABLES } from "./config-variables.ts";

/** What is read elsewhere and has no row in that table. */
const PASSED_ON: readonly { name: string; doc: string }[] = [
  {
    name: "BILLHOOK_URL",
    doc: "The server that the commands talk to; `--url` wins. Without either they look for one beside the embedded database; where `DATABASE_URL` is set they work on that themselves.",
  },
  { name: "OTEL_EXPORTER_OTLP_ENDPOINT", doc: "Sends OpenTelemetry traces there, such as `http://localhost:4318`." },
  {
    name: "OTEL_*",
    doc: "Every other standard variable of the OpenTelemetry SDK, such as `OTEL_SERVICE_NAME` (default `billhook`) and `OTEL_TRACES_SAMPLER`.",
  },
];

/** A Markdown table of every variable. */
export function configTable(): string {
  const rows = CONFIG_VARIABLES.map((variable) => [`\`${variable.name}\``, defaultText(variable), variable.doc]);
  const passedOn = PASSED_ON.map(({ name, doc }) => [`\`${name}\``, "", doc]);
  const lines = [["variable", "default", "what it does"], ["---", "---", "---"], ...rows, ...passedOn];
  return `${lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")}\n`;
}

/** Every variable commented out with its default, so that a copy changes nothing until a line is uncommented. */
export function envExample(): string {
  const entries = [
    ...CONFIG_VARIABLES.map(
      (variable) =>
        `# ${plain(variable.doc)} ${defaultSentence(variable)}\n# ${variable.name}=${exampleValue(variable)}\n`,
    ),
    ...PASSED_ON.filter(({ name }) => !name.endsWith("*")).map(({ name, doc }) => `# ${plain(doc)}\n# ${name}=\n`),
  ];
  return `# Copy to .env and uncomment what you set. Made from src/config-variables.ts; do not edit.\n\n${entries.join("\n")}`;
}

/** `markdown` with `text` between `<!-- name:begin -->` and `<!-- name:end -->`; throws where they are not there once, in order. */
export function betweenMarkers(markdown: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before, inside, ...more] = markdown.split(begin);
  const [, after, ...others] = inside?.split(end) ?? [];
  if (before === undefined || after === undefined || more.length > 0 || others.length > 0) {
    throw new Error(`the text must have ${begin} and then ${end}, once each`);
  }
  return `${before}${begin}\n${text.trimEnd()}\n${end}${after}`;
}

function defaultText(variable: Variable): string {
  if (variable.defaultDoc !== undefined) return variable.defaultDoc;
  const value = exampleValue(variable);
  return value === "" ? "" : `\`${value}\``;
}

function defaultSentence(variable: Variable): string {
  const text = plain(defaultText(variable));
  return text === "" ? "Default: none." : `Default: ${text}.`;
}

/** Empty where there is no default, or none that a line could hold. */
function exampleValue({ default: value, defaultDoc }: Variable): string {
  if (defaultDoc !== undefined) return "";
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function plain(markdown: string): string {
  return markdown.replaceAll("`", "");
}
