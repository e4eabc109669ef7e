// throwaway
import { startPostgres, createDatabase } from "./test/support/postgres.ts";
import { openServer } from "./src/db/server.ts";
import { migrate } from "./src/db/migrate.ts";
import { listStripeEvents } from "./src/inbox/stripe-event-reads.ts";
const pg = await startPostgres();
const db = await openServer({ url: await createDatabase(pg.url, "gplan"), poolSize: 2 });
try {
await migrate(db);
await db.query(`insert into stripe_events (created,id,source,type,livemode,stripe_account,api_version,object_type,object_id,customer_id,email,tenant_id,payload)
 select 1700000000+i/3, 'evt_'||i, 'webhook', case when i%1000=0 then 'invoice.rare' else 'invoice.paid' end, false, case when i%10=0 then 'acct_'||i%50 else '' end, '2020', 'invoice', 'in_'||i/3, 'cus_'||i/30, 'a'||i/30||'@x.y', 'ten', repeat('x',500) from generate_series(1,300000) i`);
await db.query(`insert into stripe_event_outcomes (created,event_id,status,livemode,stripe_account) select 1700000000+i/3,'evt_'||i, case when i%5000=0 then 'failed' else 'ignored' end,false,'' from generate_series(1,300000,4) i`);
await db.query("analyze");
const spy = { query: async (s: any) => { const r = await db.query<any>({ text: "explain analyze " + s.text, values: s.values }); console.log(r.rows.map((x: any) => x["QUERY PLAN"]).join("\n")); return { rows: [], rowCount: 0 }; } };
await listStripeEvents(spy as any, { types: [], limit: 100, status: "ignored" });
} finally { await db.close(); await pg.stop(); }
