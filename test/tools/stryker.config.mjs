/**
 * Mutation testing, one area of the core at a time: `MUTATE=keys npm run mutate`.
 * Strings are left as they are: an error's code is held by its type, and its words are no rule.
 */
import { area } from "./mutation-areas.mjs";

export default {
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  vitest: { configFile: "test/tools/stryker.vitest.mjs", related: false },
  mutate: area.sources,
  mutator: { excludedMutations: ["StringLiteral"] },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 60_000,
  reporters: ["clear-text", "progress-append-only", "json"],
  clearTextReporter: { allowColor: false, logTests: false },
  jsonReporter: { fileName: `coverage/mutation-${area.name}.json` },
  tempDirName: "coverage/stryker",
};
