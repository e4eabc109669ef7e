// `billhook plans list | sync`: as `billhook credit-packs`.
import type { Command } from "commander";

import { addOffers, standing } from "./credit-packs-command.ts";
import { oneLine } from "./table.ts";
import type { Row } from "./table.ts";

export function addPlans(program: Command): void {
  addOffers(program, {
    name: "plans",
    section: "plans",
    what: "plans",
    columns: [
      { title: "PLAN", cell: (row) => row.id },
      { title: "KEY", cell: (row) => row.key },
      { title: "NAME", cell: (row) => row.name },
      { title: "PRICE", cell: (row) => `${oneLine(row.amount)} ${oneLine(row.currency)}` },
      { title: "EVERY", cell: every },
      { title: "GROUP", cell: (row) => row.plan_group },
      { title: "ACTIVE", cell: (row) => row.is_active },
      { title: "STRIPE PRICE", cell: (row) => row.price_id },
      { title: "AT STRIPE", cell: standing },
    ],
  });
}

function every({ billing_interval: interval, interval_count: count }: Row): string {
  return count === 1 ? oneLine(interval) : `${oneLine(count)} ${oneLine(interval)}s`;
}
