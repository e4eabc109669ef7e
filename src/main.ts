// The `billhook` command's first file: what the command line does is in cli/program.ts.
import { runBillhook } from "./cli/program.ts";

await runBillhook(process.argv.slice(2));
