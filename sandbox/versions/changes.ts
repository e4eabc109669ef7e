// Every change of shape that a version brought, the newest version first. Source: the SDK's types and change log of each version.
import { acaciaChanges } from "./before-acacia.ts";
import { basilInvoiceChanges } from "./before-basil-invoice.ts";
import { basilChanges } from "./before-basil.ts";
import { cloverChanges } from "./before-clover.ts";
import { dahliaChanges } from "./before-dahlia.ts";
import { earlyChanges } from "./before-2024.ts";
import type { VersionChange } from "./version-change.ts";

export const CHANGES: readonly VersionChange[] = [
  ...dahliaChanges,
  ...cloverChanges,
  ...basilChanges,
  ...basilInvoiceChanges,
  ...acaciaChanges,
  ...earlyChanges,
];
