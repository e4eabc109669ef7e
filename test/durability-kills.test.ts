// Promise 1: an event that was answered 200 is never lost. Promise 2: every effect happens exactly once. With kill -9, under load, embedded.
import { killsUnderLoad } from "./support/kill-rounds.ts";

killsUnderLoad("embedded");
