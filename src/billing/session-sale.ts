// What a paid session that was made elsewhere has sold, from its line items and the tenant's packs. Pure.
import type { OpenReason, Sale, SoldLine } from "../accounts/unmatched-purchase-table.ts";

export interface SessionLine {
  priceId: string | null;
  description: string | null;
  quantity: number;
  /** Minor units, of the whole line before discounts and tax. */
  amount: number;
}

/** The tenant's pack that is or was sold at a price, on that price's terms. */
export interface PackTerms {
  id: string;
  credits: number;
  /** Minor units, for one. */
  amount: number;
  currency: string;
  active: boolean;
  /** Since when we know the price. */
  soldSince: Date;
}

export interface SessionFacts {
  /** Before discounts and tax. */
  amountSubtotal: number | null;
  currency: string | null;
  /** Stripe's. */
  createdAt: Date | null;
}

/** A price may be used at Stripe a moment before we hear of it; and our clock is not Stripe's. */
const SLACK_MS = 3_600_000;

/**
 * The sale, and why it must be looked at before it brings credits; undefined when it sells no pack. Credits that others
 * have given for it before Billhook knew its price, or a price that is sold no more, are for a person to judge.
 *
 * @param packs by price id
 */
export function saleOf(
  lines: readonly SessionLine[],
  packs: ReadonlyMap<string, PackTerms>,
  session: SessionFacts,
): { sale: Sale; doubt: OpenReason | undefined } | undefined {
  const sold = lines.flatMap((line) => {
    const pack = line.priceId === null ? undefined : packs.get(line.priceId);
    return pack === undefined || line.quantity < 1 ? [] : [{ line, pack }];
  });
  const [first] = sold;
  if (first === undefined) return undefined;
  const [only, ...others] = sold;
  const single = others.length === 0 ? only : undefined;
  const sale: Sale = {
    lines: lines.map((line) => shownLine(line, packs)),
    packId: single?.pack.id ?? null,
    quantity: single?.line.quantity ?? 1,
    credits: sum(sold.map(({ line, pack }) => pack.credits * line.quantity)),
    amount: sum(sold.map(({ line, pack }) => pack.amount * line.quantity)),
    currency: first.pack.currency,
    priceId: single?.line.priceId ?? null,
  };
  return { sale, doubt: doubtOf(sale, lines.length - sold.length, sold, session) };
}

function doubtOf(
  sale: Sale,
  otherLines: number,
  sold: readonly { pack: PackTerms }[],
  { amountSubtotal, currency, createdAt }: SessionFacts,
): OpenReason | undefined {
  if (otherLines > 0) return "other_items";
  if (sold.some(({ pack }) => !pack.active)) return "pack_inactive";
  // Paid in another currency, or for as much as the buyer liked.
  if (amountSubtotal !== sale.amount || currency !== sale.currency) return "amount_differs";
  const known = Math.max(...sold.map(({ pack }) => pack.soldSince.getTime()));
  if (createdAt === null || createdAt.getTime() < known - SLACK_MS) return "older_than_pack";
  return undefined;
}

function shownLine(
  { priceId, description, quantity, amount }: SessionLine,
  packs: ReadonlyMap<string, PackTerms>,
): SoldLine {
  const pack = priceId === null ? undefined : packs.get(priceId);
  return { price_id: priceId, description, quantity, amount, pack_id: pack?.id ?? null };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
