import { expect, it } from "vitest";

import { requestError } from "./request-errors.ts";

it("a request whose database went away is told to try again, also where the driver gives no code", () => {
  const pooler = Object.assign(new Error("query_wait_timeout"), { code: "08P01", severity: "FATAL" });
  for (const error of [new Error("Connection terminated unexpectedly"), pooler])
    expect(requestError(error)).toMatchObject({ status: 503, code: "storage_unavailable" });
  expect(requestError(new Error("ours"))).toMatchObject({ status: 500 });
});
