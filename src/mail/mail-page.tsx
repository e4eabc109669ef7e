// How every mail looks: the parts that the mails are made of, in React Email. Rendered by `npm run generate`, never while
// Billhook runs: fields are slots such as {{name}} here, which fill-template.ts fills.
import type { CSSProperties, ReactElement, ReactNode } from "react";
import { Body, Button, Container, Head, Heading, Html, Link, Preview, Section, Text } from "react-email";

import type { MailFields, MailTemplate } from "./mail-fields.ts";

/** A template's fields, each as its slot. */
export type Slots<Template extends MailTemplate> = { readonly [Field in keyof MailFields[Template]]-?: string };

export type Pages<Template extends MailTemplate> = {
  [Name in Template]: (slots: Slots<Name>) => ReactElement<MailPageProps>;
};

export interface MailPageProps {
  subject: string;
  /** What an inbox shows beside the subject. */
  preview: string;
  heading: string;
  /** The slot. */
  product: string;
  children: ReactNode;
}

const nameOf = (slot: string): string => slot.replace(/[{}]/g, "");

/** `text` when the field is there, else `otherwise`. */
export function given(slot: string, text: string, otherwise = ""): string {
  const name = nameOf(slot);
  return `{{#${name}}}${text}{{/${name}}}${otherwise === "" ? "" : `{{^${name}}}${otherwise}{{/${name}}}`}`;
}

export const greeting = (name: string): string => `Hello${given(name, ` ${name}`)},`;

const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

// Clients that read no <style> show the inline colours, which are the light ones; those that turn colours round do so evenly.
const DARK = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page, .page > table > tbody > tr > td { background-color: #16181d !important; }
  .card { background-color: #22252c !important; border-color: #343842 !important; }
  .strong { color: #f2f4f8 !important; }
  .body { color: #d3d7df !important; }
  .note { color: #a2a8b4 !important; }
}`;

const PAGE: CSSProperties = { margin: 0, padding: "32px 12px", backgroundColor: "#f3f4f7" };
const CARD: CSSProperties = {
  backgroundColor: "#ffffff",
  border: "1px solid #e2e5eb",
  borderRadius: "10px",
  padding: "32px 28px",
};
const HEADING: CSSProperties = { margin: "0 0 16px", font: `600 22px/30px ${FONT}`, color: "#14171f" };
// A long name without a space breaks instead of widening the page.
const BODY: CSSProperties = {
  margin: "0 0 14px",
  font: `400 16px/25px ${FONT}`,
  color: "#333945",
  overflowWrap: "break-word",
};
const NOTE: CSSProperties = { margin: "0 0 10px", font: `400 13px/20px ${FONT}`, color: "#5a6170" };
const ADDRESS: CSSProperties = { color: "#5a6170", textDecoration: "underline", wordBreak: "break-all" };
const BUTTON: CSSProperties = {
  padding: "13px 24px",
  backgroundColor: "#2f54d6",
  borderRadius: "7px",
  font: `600 16px/20px ${FONT}`,
  color: "#ffffff",
};

export function MailPage({ subject, preview, heading, product, children }: MailPageProps): ReactElement {
  return (
    <Html lang="en">
      <Head>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>{subject}</title>
        <style>{DARK}</style>
      </Head>
      <Preview>{preview}</Preview>
      <Body className="page" style={PAGE}>
        <Container style={{ maxWidth: "560px" }}>
          <Section className="card" style={CARD}>
            <Heading as="h1" className="strong" style={HEADING}>
              {heading}
            </Heading>
            {children}
          </Section>
          <Given slot={product}>
            <Text className="note" style={{ ...NOTE, margin: "24px 0 0", textAlign: "center" }}>
              {product}
            </Text>
          </Given>
        </Container>
      </Body>
    </Html>
  );
}

/** What it holds is there only when the field is. */
export function Given({ slot, children }: { slot: string; children: ReactNode }): ReactNode {
  const name = nameOf(slot);
  return (
    <>
      {`{{#${name}}}`}
      {children}
      {`{{/${name}}}`}
    </>
  );
}

export function Paragraph({ children }: { children: ReactNode }): ReactNode {
  return (
    <Text className="body" style={BODY}>
      {children}
    </Text>
  );
}

/** A line such as `Amount: $5.00`. */
export function Fact({ label, value }: { label: string; value: string }): ReactNode {
  return (
    <Text className="body" style={{ ...BODY, margin: "0 0 4px" }}>
      {`${label}: `}
      <strong>{value}</strong>
    </Text>
  );
}

/** The one button, and its address for those whose client shows none. */
export function Action({ label, link }: { label: string; link: string }): ReactNode {
  return (
    <>
      <Section style={{ padding: "26px 0" }}>
        <Button href={link} style={BUTTON}>
          {label}
        </Button>
      </Section>
      <Text className="note" style={NOTE} data-skip-in-text="true">
        If the button does nothing, open this address in a browser:
        <br />
        <Link href={link} className="note" style={ADDRESS}>
          {link}
        </Link>
      </Text>
    </>
  );
}

export function Note({ children }: { children: ReactNode }): ReactNode {
  return (
    <Text className="note" style={NOTE}>
      {children}
    </Text>
  );
}
