// What areas use of the frame: nothing else of it is theirs.
export type { Area, FoundObject, PageSpec } from "./area.ts";
export {
  type ActOptions,
  type List,
  type Page,
  type ReadOptions,
  useAct,
  useApi,
  useList,
  useOwnApi,
  useRead,
} from "./asking.ts";
export { dismissFirstSteps } from "./first-steps.ts";
export { isOperator, type Me, type Membership, useMay, useMe, useMembership, type Who } from "./me.ts";
export { settings } from "./settings.ts";
export { chooseTenant, type Mode, type Standing, useStanding } from "./standing.ts";
