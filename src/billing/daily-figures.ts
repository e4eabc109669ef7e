// Money and credits by day, counted anew in the background from the rows themselves, so that reading them costs nothing and
// what came late is right in the end. Table: daily_figures
import type { Clock } from "../base/clock.ts";
import type { Database, Queryable } from "../db/database.ts";

export const DAYS_SHOWN = 30;

const DAY_MS = 86_400_000;

/** Of money, by currency. */
export const MONEY_FIGURES = ["gross", "refunded", "fees", "connected", "payments"] as const;
/** Of credits. */
export const CREDIT_FIGURES = ["granted", "bought", "spent", "reversed", "expired"] as const;

type Figure = (typeof MONEY_FIGURES)[number] | (typeof CREDIT_FIGURES)[number];

export interface DailyFigure {
  /** YYYY-MM-DD, in UTC. */
  day: string;
  figure: Figure;
  /** "" for credits. */
  currency: string;
  amount: number;
}

/**
 * Counts the last days anew: today and yesterday each time, and all that are shown with the first run of an hour. Nodes that
 * do so at once write the same.
 */
export async function countDays(database: Database, clock: Pick<Clock, "now">): Promise<void> {
  const today = Math.floor(clock.now() / DAY_MS);
  for (let ago = 0; ago < 2; ago += 1) await countDay(database, today - ago);
  if (!(await isHourDue(database, today, clock.now()))) return;
  for (let ago = 2; ago < DAYS_SHOWN; ago += 1) await countDay(database, today - ago);
}

/** One day at a time: the embedded database has one session. */
async function countDay(database: Database, day: number): Promise<void> {
  const from = new Date(day * DAY_MS).toISOString();
  const to = new Date((day + 1) * DAY_MS).toISOString();
  await database.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended('billhook daily figures', 0))");
    await tx.query({ text: "delete from daily_figures where day = $1::date", values: [from.slice(0, 10)] });
    await tx.query({ text: COUNT, values: [from.slice(0, 10), from, to] });
    await tx.query({ text: MARK, values: [from.slice(0, 10)] });
  });
}

/** Whether the oldest day that is shown was counted in this hour. */
async function isHourDue(database: Queryable, today: number, now: number): Promise<boolean> {
  const oldest = new Date((today - DAYS_SHOWN + 1) * DAY_MS).toISOString().slice(0, 10);
  const hour = new Date(Math.floor(now / 3_600_000) * 3_600_000).toISOString();
  const { rowCount } = await database.query({ text: COUNTED_SINCE, values: [oldest, hour] });
  return rowCount === 0;
}

export interface DailyFigures {
  figures: DailyFigure[];
  /** When today was counted; null: never. */
  countedAt: Date | null;
}

/** Days from `since` (YYYY-MM-DD) on, those without any left out. */
export async function readDays(database: Queryable, livemode: boolean, since: string): Promise<DailyFigures> {
  const { rows } = await database.query<DailyFigure & { countedAt: Date }>({ text: READ, values: [livemode, since] });
  const last = rows.at(-1);
  return { figures: rows.filter(({ amount }) => amount !== 0), countedAt: last?.countedAt ?? null };
}

// What is paid by the day of its charge, what is given back by the day of the refund: neither moves another day's figure.
const COUNT = `
  insert into daily_figures (livemode, day, figure, currency, amount, counted_at)
  with paid as materialized (
    select livemode, stripe_account = '' as own, currency, count(*) as payments, sum(amount_captured) as captured,
           sum(application_fee_amount) as fees
    from charges
    where stripe_created >= $2::timestamptz and stripe_created < $3::timestamptz and status = 'succeeded' and captured
      and currency is not null
    group by 1, 2, 3
  ), given_back as (
    select livemode, currency, sum(amount) as amount from refunds
    where stripe_created >= $2::timestamptz and stripe_created < $3::timestamptz and stripe_account = ''
      and status is distinct from 'failed' and status is distinct from 'canceled' and currency is not null
    group by 1, 2
  ), credits as (
    select livemode, kind, sum(abs(amount)) as amount from credit_entries
    where created_at >= $2::timestamptz and created_at < $3::timestamptz group by 1, 2
  ), figures as (
    select livemode, 'gross' as figure, currency, captured as amount from paid where own
    union all select livemode, 'connected', currency, captured from paid where not own
    union all select livemode, 'fees', currency, fees from paid where not own
    union all select livemode, 'payments', currency, sum(payments) from paid group by 1, 3
    union all select livemode, 'refunded', currency, amount from given_back
    union all
    select livemode, case kind when 'grant' then 'granted' when 'purchase' then 'bought' when 'spend' then 'spent'
                               when 'reversal' then 'reversed' when 'expiry' then 'expired' end, '', amount
    from credits where kind in ('grant', 'purchase', 'spend', 'reversal', 'expiry')
  )
  select livemode, $1::date, figure, currency, amount::bigint, now() from figures where amount is not null`;

// A day without any figure was counted too.
const MARK = `
  insert into daily_figures (livemode, day, figure, amount, counted_at)
  select mode, $1::date, 'granted', 0, now() from (values (true), (false)) as modes (mode)
  on conflict do nothing`;

const COUNTED_SINCE = "select from daily_figures where day = $1::date and counted_at >= $2::timestamptz limit 1";

const READ = `
  select to_char(day, 'YYYY-MM-DD') as day, figure, currency, amount, counted_at as "countedAt" from daily_figures
  where livemode = $1 and day >= $2::date order by day, figure, currency`;
