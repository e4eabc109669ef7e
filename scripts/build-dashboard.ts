// `npm run build:dashboard`: bundles the dashboard to dist/dashboard. Also run by `npm start` in a clone, when it is not current.
import { join } from "node:path";

import { bundleDashboard } from "./dashboard-bundle.ts";

const started = performance.now();
const names = await bundleDashboard(join(import.meta.dirname, ".."));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
process.stdout.write(`dist/dashboard: ${names.length} files in ${seconds} s\n`);
