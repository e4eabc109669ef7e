// The mails about money, and about what a tenant is told: what was bought, what could not be charged, what ends soon, what
// a tenant was paid, and an endpoint that takes nothing any more.
import { Action, Fact, given, Given, greeting, MailPage, Note, type Pages, Paragraph } from "./mail-page.tsx";

export const billingMails: Pages<
  "credits_added" | "payment_failed" | "trial_ending" | "card_expiring" | "connected_invoice_paid" | "endpoint_disabled"
> = {
  credits_added: ({ link, name, credits, balance, amount, pack, product }) => (
    <MailPage
      subject={`${credits} credits were added${given(product, ` to your account at ${product}`)}`}
      preview={`${credits} credits are in your account.`}
      heading={`${credits} credits were added`}
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>{`${credits} credits are in your account and can be used at once.`}</Paragraph>
      <Given slot={pack}>
        <Fact label="Pack" value={pack} />
      </Given>
      <Given slot={amount}>
        <Fact label="Paid" value={amount} />
      </Given>
      <Given slot={balance}>
        <Fact label="Credits you have now" value={balance} />
      </Given>
      <Action label="See your credits" link={link} />
    </MailPage>
  ),

  payment_failed: ({ link, name, amount, reason, next_attempt, product }) => (
    <MailPage
      subject={`Your payment of ${amount}${given(product, ` to ${product}`)} failed`}
      preview={`${amount} could not be charged.`}
      heading="Your payment failed"
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>{`${amount} could not be charged. Please check the card, or use another one.`}</Paragraph>
      <Given slot={reason}>
        <Fact label="What the bank said" value={reason} />
      </Given>
      <Fact label="Amount" value={amount} />
      <Given slot={next_attempt}>
        <Fact label="Tried again on" value={next_attempt} />
      </Given>
      <Action label="Pay or change the card" link={link} />
      <Note>If you have paid meanwhile, there is nothing to do.</Note>
    </MailPage>
  ),

  trial_ending: ({ link, name, ends, plan, amount, product }) => (
    <MailPage
      subject={`Your trial${given(product, ` of ${product}`)} ends on ${ends}`}
      preview={`Your trial ends on ${ends}.`}
      heading="Your trial ends soon"
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>{`Your trial ends on ${ends}.${given(amount, ` From then on ${amount} is charged each period, unless you cancel before.`)}`}</Paragraph>
      <Given slot={plan}>
        <Fact label="Plan" value={plan} />
      </Given>
      <Given slot={amount}>
        <Fact label="Price" value={amount} />
      </Given>
      <Action label="See your subscription" link={link} />
    </MailPage>
  ),

  card_expiring: ({ link, name, brand, last4, expires, product }) => (
    <MailPage
      subject={`Your card ending in ${last4} expires soon`}
      preview={`${brand} ending in ${last4} expires ${expires}.`}
      heading="Your card expires soon"
      product={product}
    >
      <Paragraph>{greeting(name)}</Paragraph>
      <Paragraph>
        {`Your ${brand} card ending in ${last4} expires ${expires}. Add a new one so that${given(product, ` ${product}`, " your subscription")} goes on without a break.`}
      </Paragraph>
      <Action label="Change the card" link={link} />
    </MailPage>
  ),

  connected_invoice_paid: ({ link, amount, customer, number, fee, product }) => (
    <MailPage
      subject={`${customer} paid ${amount}`}
      preview={`Invoice${given(number, ` ${number}`)}: ${amount} was paid.`}
      heading="An invoice was paid"
      product={product}
    >
      <Paragraph>{`${customer} paid ${amount}.`}</Paragraph>
      <Given slot={number}>
        <Fact label="Invoice" value={number} />
      </Given>
      <Fact label="Amount" value={amount} />
      <Given slot={fee}>
        <Fact label="Platform fee" value={fee} />
      </Given>
      <Action label="See the invoice" link={link} />
    </MailPage>
  ),

  endpoint_disabled: ({ link, host, since, product }) => (
    <MailPage
      subject={`Webhooks to ${host} were stopped`}
      preview={`Events are not delivered to ${host} any more.`}
      heading="Your webhook endpoint was disabled"
      product={product}
    >
      <Paragraph>
        {`Events are not delivered to ${host} any more: ${given(since, `every attempt since ${since} failed.`, "it answered that it is gone (410).")}`}
      </Paragraph>
      <Paragraph>
        What happens meanwhile is kept. Mend the receiver, enable the endpoint again, and recover what it missed.
      </Paragraph>
      <Action label="See the endpoint" link={link} />
    </MailPage>
  ),
};
