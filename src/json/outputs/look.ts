import { anyObject, boolean, list, oneOf, text, union } from "../codec.js";
import { fields } from "../fields.js";
import { u53 } from "../primitives.js";
import { audit } from "./audit.js";
import { diagnosis } from "./diagnose.js";
import { diff } from "./diff.js";
import { explore } from "./explore.js";
import { inspection } from "./inspect.js";
import { report } from "./report.js";
import { vectors } from "./vectors.js";

/** What the commands print that look closely, and those about chankit. */
export const LOOK_OUTPUTS = {
  inspect: () => inspection,
  diff: () => diff,
  diagnose: () => diagnosis,
  audit: () => audit,
  explore: () => explore,
  report: () => report,
  vectors: () => vectors,
  schema: () => anyObject,
  completion: () => fields({ shell: oneOf(["bash", "zsh", "fish"]), script: text }),
  selftest: () =>
    fields({
      backend: oneOf(["wasm", "native"]),
      reason: text,
      installed: list(oneOf(["wasm", "native"])),
      checks: list(fields({ backend: oneOf(["wasm", "native"]), check: text, ok: boolean })),
      failed: u53,
    }),
  help: () => union(fields({ topic: text, text: list(text) }), fields({ page: text, text: list(text) })),
} as const;
