import { expect, it } from "vitest";

import { CommandFailure, EXIT, failed } from "./command-failure.ts";
import { confirmed } from "./confirm-move.ts";
import { brokenAnswer } from "./server-trouble.ts";

const refusal = (status: number, code: string): CommandFailure =>
  new CommandFailure({ error: "Refused", code, message: "No." }, EXIT.failed, undefined, status);
const broken: CommandFailure = brokenAnswer("http://there", new TypeError("terminated"));
const page: CommandFailure = failed("not_billhook", "Strange answer", "A proxy's page.");

/** Tells it to a server that answers so, the last for ever: what came of it, and how often it was told. */
async function told(...answers: readonly (CommandFailure | "heard")[]): Promise<[string, number]> {
  let tries = 0;
  const finish = (): Promise<void> => {
    const answer = answers[Math.min(tries++, answers.length - 1)];
    return answer === "heard" || answer === undefined ? Promise.resolve() : Promise.reject(answer);
  };
  const end = await confirmed(finish, () => Promise.resolve()).then(
    () => "heard",
    (error: unknown) => (error instanceof CommandFailure ? error.body.code : "no failure"),
  );
  return [end, tries];
}

it("is told again after a broken answer, a proxy's page and an error of the server, until it is heard", async () => {
  expect(await told(broken, page, refusal(500, "internal"), "heard")).toEqual(["heard", 4]);
});

it.each([
  [409, "move_ended"],
  [401, "unauthorized"],
  [503, "overloaded"],
])("a server's own %i at once is its refusal", async (status, code) => {
  expect(await told(refusal(status, code))).toEqual([code, 1]);
});

it.each([
  ["a broken answer", broken],
  ["a proxy's page", page],
  ["an error of the server", refusal(500, "internal")],
])("%s to all tries is no refusal: the move is unconfirmed", async (_, answer) => {
  expect(await told(answer)).toEqual(["move_unconfirmed", 11]);
});

it("after a broken answer the server may have heard it: then only `move_ended` is a refusal", async () => {
  expect(await told(broken, refusal(409, "move_ended"))).toEqual(["move_ended", 2]);
  // It is marked, and stops; or another server has its address now.
  expect(await told(broken, refusal(503, "stopping"))).toEqual(["move_unconfirmed", 11]);
  expect(await told(broken, refusal(409, "not_movable"))).toEqual(["move_unconfirmed", 11]);
});
