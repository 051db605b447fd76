// Prints `N passed, N failed` from the file of vitest's JSON reporter; fails where a test failed or none ran.
import { existsSync, readFileSync } from "node:fs";

/** @type {{ numPassedTests: number, numFailedTests: number, success: boolean }} */
const nothing = { numPassedTests: 0, numFailedTests: 0, success: false };
const [path = ""] = process.argv.slice(2);
const results = existsSync(path) ? /** @type {typeof nothing} */ (JSON.parse(readFileSync(path, "utf8"))) : nothing;

console.log(`${results.numPassedTests} passed, ${results.numFailedTests} failed`);
process.exitCode = results.success && results.numPassedTests > 0 ? 0 : 1;
