// The search language, apart from what is searched.
import { describe, expect, it } from "vitest";

import { search } from "./search.ts";

const PEOPLE = [
  { id: "a", name: "Ann O'Hara", age: 30, email: "ann@example.com", metadata: { tier: "gold" } },
  { id: "b", name: 'Bob "B"', age: 40, email: null, metadata: {} },
  { id: "c", name: "Cleo", age: 50, email: "cleo@example.com", metadata: { tier: "silver" } },
];

function found(query: string, page: { limit?: number; page?: string } = {}) {
  return search(
    PEOPLE,
    { query, ...page },
    {
      resource: "people",
      url: "/v1/people/search",
      fields: {
        age: { as: "number", read: ({ age }) => age },
        email: { as: "text", read: ({ email }) => email },
        id: { as: "token", read: ({ id }) => id },
        name: { as: "text", read: ({ name }) => name },
      },
    },
  );
}

const ids = (query: string) => found(query).data.map(({ id }) => id);

describe("a search", () => {
  it.each([
    [`name:"ann o'hara"`, ["a"]],
    [`name:'Ann O\\'Hara'`, ["a"]],
    [`name:"Bob \\"B\\""`, ["b"]],
    [`name~"LEO"`, ["c"]],
    [`age>30 AND age<=40`, ["b"]],
    [`age:30 OR age:50`, ["c", "a"]],
    [`-age:30`, ["c", "b"]],
    [`email:null`, ["b"]],
    [`-email:null and metadata["tier"]:"gold"`, ["a"]],
    [`metadata['tier']~'ilve'`, ["c"]],
    [`-metadata["tier"]:null`, ["c", "a"]],
  ])("for %s finds what it says, the newest first", (query, wanted) => {
    expect(ids(query)).toEqual(wanted);
  });

  it.each([
    ["", /unable to parse/],
    ["name", /unable to parse/],
    ["name:Ann", /unable to parse/],
    [`name:"Ann`, /unable to parse/],
    [`name:"a" XOR name:"b"`, /unable to parse/],
    [`age:1 AND age:2 OR age:3`, /both AND and OR/],
    [`colour:"red"`, /Field `colour` is an unsupported search field for resource `people`/],
    [`id~"aaa"`, /Operator `~` is not supported/],
    [`name>3`, /Operator `>` is not supported/],
    [`name~"ab"`, /at least 3 characters/],
  ])("for %s is refused", (query, message) => {
    expect(() => found(query)).toThrow(message);
  });

  it("is paged", () => {
    const first = found("age>0", { limit: 2 });
    expect(first).toMatchObject({ object: "search_result", has_more: true, data: [{ id: "c" }, { id: "b" }] });
    const last = found("age>0", { limit: 2, page: first.next_page ?? "" });
    expect(last).toMatchObject({ has_more: false, next_page: null, data: [{ id: "a" }] });
  });
});
