// Prints one line, "N passed, N failed[, N skipped]", from vitest's JSON report. Arguments: report, exit code of npm test.
import { existsSync, readFileSync } from "node:fs";

const [file, code] = process.argv.slice(2);
if (!existsSync(file)) {
  // vitest never ran, or never ended: the step whose output stands above failed.
  console.log("0 passed, 1 failed (no test report: the step above failed)");
} else {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
  // A file that does not load has no tests that could fail.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  ).length;
  let failed = report.numFailedTests + broken;
  let reason = "";
  if (failed === 0 && code !== "0") {
    failed = 1;
    reason = " (an error outside the tests, see above)";
  }
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}${reason}`);
}
