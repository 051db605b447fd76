/** What is mutated together, and the quick tests that must notice. */
const AREAS = {
  policy: { sources: ["src/protocol/policy/*.ts"], tests: ["test/policy/{changes,closing,htlcs,leave,opening,order}.test.ts"] },
  keys: { sources: ["src/protocol/keys/*.ts"], tests: ["test/protocol/keys/*.test.ts", "test/vectors/*.test.ts"] },
  script: { sources: ["src/protocol/script/*.ts"], tests: ["test/protocol/script/*.test.ts", "test/vectors/*.test.ts"] },
  tx: { sources: ["src/protocol/tx/*.ts"], tests: ["test/protocol/tx/!(feerate).test.ts", "test/vectors/{reproduced,case,refused}.test.ts"] },
};

const name = process.env["MUTATE"] ?? "policy";
const [, chosen] = Object.entries(AREAS).find(([key]) => key === name) ?? [];
if (chosen === undefined) throw new Error(`MUTATE is one of ${Object.keys(AREAS).join(", ")}, not ${name}`);

/** @type {{ name: string, sources: string[], tests: string[] }} */
export const area = { name, ...chosen };
