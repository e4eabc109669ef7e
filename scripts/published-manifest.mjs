// package.json as it is published: `strip` before packing, `restore` after it. What only a clone needs is left out.
// Publish the packed file (`npm pack`, then `npm publish billhook-….tgz`): the registry takes its manifest from there.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

const MANIFEST = "package.json";
/** The whole one, while npm packs. A pack that broke off leaves it: both steps put it back first. */
const KEPT = "package.json.kept";
/** The pinned Nodes and Stripe's CLI serve the clone alone, as do the tools and the scripts. */
const LEFT_OUT = ["optionalDependencies", "devDependencies", "overrides", "scripts"];

if (existsSync(KEPT)) renameSync(KEPT, MANIFEST);
if (process.argv[2] === "strip") {
  const whole = readFileSync(MANIFEST, "utf8");
  const published = Object.entries(JSON.parse(whole)).filter(([name]) => !LEFT_OUT.includes(name));
  writeFileSync(KEPT, whole);
  writeFileSync(MANIFEST, `${JSON.stringify(Object.fromEntries(published), null, 2)}\n`);
}
