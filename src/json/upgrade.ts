type Document = Readonly<Record<string, unknown>>;

/** What each version of `channel.json` lacked that the next one has. */
const STEPS: readonly ((document: Document) => Document)[] = [
  (one) => ({ ...one, version: 2, messages: isObject(one["messages"]) ? { reestablishing: false, ...one["messages"] } : one["messages"] }),
];

/** The document as the newest version words it; what is no older version stays as it is, for the reader to judge. */
export function upgraded(document: unknown): unknown {
  if (!isObject(document)) return document;
  const { version } = document;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) return document;
  return STEPS.slice(version - 1).reduce((older, step) => step(older), document);
}

function isObject(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
