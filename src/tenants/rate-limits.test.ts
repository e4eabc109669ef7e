// What counts as one source.
import { expect, it } from "vitest";

import { addressOf, networkOf } from "./rate-limits.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["203.0.113.7:51234", "203.0.113.7"],
  ["::ffff:cb00:7107", "203.0.113.7"],
  ["::FFFF:CB00:7107", "203.0.113.7"],
  ["0:0:0:0:0:ffff:cb00:7107", "203.0.113.7"],
  ["[::ffff:203.0.113.7]:51234", "203.0.113.7"],
  ["[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2"],
  ["[2001:db8:1:2::]", "2001:db8:1:2"],
  ["2001:db8:1:2:3::", "2001:db8:1:2"],
  ["64:ff9b::203.0.113.7", "64:ff9b:0:0"],
  ["::fffe:cb00:7107", "0:0:0:0"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:DB8:0001:2::9", "2001:db8:1:2"],
  ["2001:db8::9", "2001:db8:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["::1", "0:0:0:0"],
])("%s calls from %s: an IPv6 user has a whole /64", (source, network) => {
  expect(networkOf(source)).toBe(network);
});

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["203.0.113.7:51234", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["[::FFFF:CB00:7107]:51234", "203.0.113.7"],
  ["[2001:DB8::9]:443", "2001:db8::9"],
  ["2001:db8::9", "2001:db8::9"],
  ["fe80::1%eth0", "fe80::1%eth0"],
  ["unknown", "unknown"],
  ["203.0.113.7:51234:1", "203.0.113.7:51234:1"],
  ["", ""],
])("%s is written down as %s: an address, whole and without the connection's port", (source, address) => {
  expect(addressOf(source)).toBe(address);
});
