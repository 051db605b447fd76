import { anything, list, text } from "../codec.js";
import { fields, optional } from "../fields.js";
import { u53 } from "../primitives.js";

/** What `vectors verify` prints; `vectors generate` prints cases. */
export const vectors = fields({
  format: text,
  cases: u53,
  values: u53,
  // The values are the file's own, of any form
  differences: list(
    fields({
      case: text,
      path: text,
      expected: optional(anything),
      derived: optional(anything),
      why: optional(text),
      follows_from: optional(text),
    }),
  ),
  explanations: list(fields({ case: text, words: text })),
  more_differences: optional(u53),
  more_explanations: optional(u53),
});
