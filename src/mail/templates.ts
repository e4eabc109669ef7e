// The mails' words: fields in, subject, text and HTML out. Pure.
import { checkFields, isMailTemplate, type MailFields, type MailTemplate } from "./mail-fields.ts";
import { type Message, type RenderedMail, renderMessage } from "./mail-layout.ts";

const TEMPLATES: { [Template in MailTemplate]: (fields: MailFields[Template]) => Message } = {
  invite: ({ link, company_name, role, invited_by, valid_for, product }) => {
    const sentence = `${invited_by || company_name} invites you to join ${company_name} as ${role}.`;
    return {
      subject: `You are invited to ${company_name}`,
      preview: sentence,
      heading: `Join ${company_name}`,
      paragraphs: [sentence],
      button: { label: "Accept the invitation", link },
      notes: [
        ...validity(valid_for),
        "The invitation is for you alone: do not pass this mail on. If you expected none, ignore it.",
      ],
      product,
    };
  },
  verify_address: ({ link, name, valid_for, product }) => ({
    subject: product ? `Confirm your e-mail address for ${product}` : "Confirm your e-mail address",
    preview: "One click confirms that this address is yours.",
    heading: "Confirm your e-mail address",
    paragraphs: [greeting(name), "Please confirm that this address is yours."],
    button: { label: "Confirm the address", link },
    notes: [...validity(valid_for), "If you did not register, ignore this mail: the address stays unconfirmed."],
    product,
  }),
  reset_password: ({ link, name, valid_for, product }) => ({
    subject: product ? `Set a new password for ${product}` : "Set a new password",
    preview: "Somebody asked to set a new password for this address.",
    heading: "Set a new password",
    paragraphs: [
      greeting(name),
      "Somebody, we hope you, asked to set a new password for this address. A new password signs you out everywhere.",
    ],
    button: { label: "Set a new password", link },
    notes: [...validity(valid_for), "If it was not you, ignore this mail: your password stays as it is."],
    product,
  }),
};

const validity = (validFor: string | undefined): string[] => [
  validFor ? `The link works once, for ${validFor}.` : "The link works once.",
];
const greeting = (name: string | undefined): string =>
  name === undefined || name === "" ? "Hello," : `Hello ${name},`;

const LONGEST_NAME = 100;

/**
 * A name that strangers choose, as a mail of ours may show it: short, and never turned into a link by a mail client, which
 * would make our mail carry theirs. U+2060 is invisible and belongs to no address.
 */
function shown(name: string): string {
  return name
    .slice(0, LONGEST_NAME)
    .toWellFormed()
    .replace(/(?<=\S)[.:/@](?=\S)/g, "$&\u2060");
}

/** Throws when a field that the template needs is missing, or when the link is none. */
export function renderMail<Template extends MailTemplate>(
  template: Template,
  fields: MailFields[Template],
): RenderedMail {
  checkFields(template, fields);
  const { link, ...names } = fields;
  const safe = Object.fromEntries(Object.entries(names).map(([field, name]) => [field, shown(String(name))]));
  const given: unknown = { ...safe, link };
  checkFields(template, given);
  return renderMessage(TEMPLATES[template](given));
}

/** What was stored, as a mail. Throws when it is not what this build's templates take. */
export function renderStored(template: string, fields: unknown): RenderedMail {
  if (!isMailTemplate(template)) throw new Error(`there is no mail ${template}`);
  checkFields(template, fields);
  return renderMail(template, fields);
}
