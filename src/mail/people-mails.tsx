// The mails about a person's own access, each with a link that works once.
import { Action, given, greeting, MailPage, Note, type Pages, Paragraph } from "./mail-page.tsx";

const validity = (validFor: string): string => `The link works once${given(validFor, `, for ${validFor}`)}.`;

export const peopleMails: Pages<"invite" | "verify_address" | "reset_password" | "welcome"> = {
  invite: ({ link, company_name, role, invited_by, valid_for, product }) => {
    const who = given(invited_by, invited_by, company_name);
    const sentence = `${who} invites you to join ${company_name} as ${role}.`;
    return (
      <MailPage
        subject={`You are invited to ${company_name}`}
        preview={sentence}
        heading={`Join ${company_name}`}
        product={product}
      >
        <Paragraph>{sentence}</Paragraph>
        <Action label="Accept the invitation" link={link} />
        <Note>{validity(valid_for)}</Note>
        <Note>The invitation is for you alone: do not pass this mail on. If you expected none, ignore it.</Note>
      </MailPage>
    );
  },

  verify_address: ({ link, name, valid_for, product }) => (
    <MailPage
      subject={`Confirm your e-mail address${given(product, ` for ${product}`)}`}
      preview="One click confirms that this address is yours."
      heading="Confirm your e-mail address"
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>Please confirm that this address is yours.</Paragraph>
      <Action label="Confirm the address" link={link} />
      <Note>{validity(valid_for)}</Note>
      <Note>If you did not register, ignore this mail: the address stays unconfirmed.</Note>
    </MailPage>
  ),

  reset_password: ({ link, name, valid_for, product }) => (
    <MailPage
      subject={`Set a new password${given(product, ` for ${product}`)}`}
      preview="Somebody asked to set a new password for this address."
      heading="Set a new password"
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>
        Somebody, we hope you, asked to set a new password for this address. A new password signs you out everywhere.
      </Paragraph>
      <Action label="Set a new password" link={link} />
      <Note>{validity(valid_for)}</Note>
      <Note>If it was not you, ignore this mail: your password stays as it is.</Note>
    </MailPage>
  ),

  welcome: ({ link, name, valid_for, product }) => (
    <MailPage
      subject={`Welcome${given(product, ` to ${product}`)}`}
      preview="Thank you for your purchase. Choose a password to see what you bought."
      heading={`Welcome${given(product, ` to ${product}`)}`}
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>
        Thank you for your purchase. An account was made for this address: choose a password to see what you bought.
      </Paragraph>
      <Action label="Choose a password" link={link} />
      <Note>{validity(valid_for)}</Note>
      <Note>If you bought nothing, ignore this mail: without a password nobody can sign in.</Note>
    </MailPage>
  ),
};
