// src/mail/mail-templates.json: every mail of src/mail/*.tsx as subject, text and HTML, its fields as slots. Node runs no JSX:
// this is where React Email runs, once, so that Billhook itself needs neither React nor a compiler.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

import { render, toPlainText } from "react-email";
import ts from "typescript";

import { fieldsOf, MAIL_TEMPLATES } from "../src/mail/mail-fields.ts";
import type { StoredTemplate } from "../src/mail/fill-template.ts";

type Page = (slots: Record<string, string>) => Parameters<typeof render>[0] & { props: { subject: string } };

export async function mailTemplates(): Promise<string> {
  const pages = await loadPages();
  const templates: Record<string, StoredTemplate> = {};
  for (const template of MAIL_TEMPLATES) {
    const page = pages[template];
    if (page === undefined) throw new Error(`no page of src/mail/*.tsx is the mail ${template}`);
    const slots = Object.fromEntries([...fieldsOf(template).keys()].map((field) => [field, `{{${field}}}`]));
    const element = page(slots);
    const html = await render(element);
    templates[template] = { subject: element.props.subject, text: textOf(html), html: tidied(html) };
  }
  return `${JSON.stringify(templates, null, 2)}\n`;
}

/** In Vitest Vite compiles them; Node itself asks this hook. */
async function loadPages(): Promise<Record<string, Page>> {
  const hooks = registerHooks({
    load: (url, context, nextLoad) => {
      if (!url.endsWith(".tsx")) return nextLoad(url, context);
      const { outputText } = ts.transpileModule(readFileSync(fileURLToPath(url), "utf8"), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2024, jsx: ts.JsxEmit.ReactJSX },
      });
      return { format: "module", source: outputText, shortCircuit: true };
    },
  });
  try {
    const { peopleMails } = await import("../src/mail/people-mails.tsx");
    const { billingMails } = await import("../src/mail/billing-mails.tsx");
    return { ...peopleMails, ...billingMails } as unknown as Record<string, Page>;
  } finally {
    hooks.deregister();
  }
}

/** Without the marks by which React finds its texts again in a browser, and with the subject alone as its title. */
function tidied(html: string): string {
  return html
    .replace(/<!--(\w*| |\/?\$)-->/g, "")
    .replaceAll(' data-skip-in-text="true"', "")
    .replace(/(<title>[^<]*<\/title>)<title>[^<]*<\/title>/, "$1");
}

/** The button's address and the signature on lines of their own. Clients wrap lines themselves. */
function textOf(html: string): string {
  const selectors = [{ selector: "h1", options: { uppercase: false } }];
  return toPlainText(html, { wordwrap: false, selectors })
    .replace(/ \{\{link\}\}/, ":\n{{link}}")
    .replace(
      /\{\{#product\}\}\s*\{\{product\}\}\s*\{\{\/product\}\}\s*$/,
      "{{#product}}\n\n-- \n{{product}}{{/product}}",
    );
}
