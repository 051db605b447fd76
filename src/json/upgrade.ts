type Document = Readonly<Record<string, unknown>>;

/** What each version of `channel.json` lacked that the next one has. */
const STEPS: readonly ((document: Document) => Document)[] = [
  (one) => ({ ...one, version: 2, messages: isObject(one["messages"]) ? { reestablishing: false, ...one["messages"] } : one["messages"] }),
  (two) => ({ ...two, version: 3, features: [], ...("fundings" in two ? { closing: NO_CLOSING } : {}) }),
];

/** No channel of version 2 had come to a mutual close. */
const NO_CLOSING = { offers: { local: null, remote: null }, last_offer: null, signed: { local: null, remote: null } };

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
