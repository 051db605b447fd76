import { LnError } from "../../protocol/errors.js";

type Kind = readonly [what: string, hint: string];

const TAKES_TRANSACTIONS = "`inspect` says what it is, `watch`, `penalty-tx` and `sweep` answer it, `check-tx` and `broadcast` take it signed";

/** Files of ours, by the formats that they name; what is in none of these rows is a report. */
const FILES: Readonly<Record<string, Kind>> = {
  "chankit-channel": ["a channel file", "name the party's folder, or the file with --channel"],
  "chankit-keys": ["a keys file, which nobody else is to see", "name the party's folder, or the file with --keys"],
  "chankit-backup": ["a channel's backup", "`restore` takes it"],
  "chankit-commitment": ["a commitment transaction", "`sign` takes one that is the peer's, and `inspect` any"],
  "chankit-watch": ["what `watch` has seen", "`watch --state` takes it"],
};

/**
 * Reads a file that is to hold a message; `parse` reads its JSON. Where it is something else, the refusal says what, and which command takes it: a message has a
 * `type` or a `wire`. Throws: input-no-message, and what `parse` does.
 */
export function messageDocument(content: string, source: string, parse: (text: string, source: string) => unknown): unknown {
  refuse(ofText(content), source);
  const document = parse(content, source);
  refuse(ofDocument(document), source);
  return document;
}

function refuse(kind: Kind | null, source: string): void {
  if (kind === null) return;
  const [what, hint] = kind;
  throw new LnError("input-no-message", `${source} is no message but ${what}: ${hint}`, { source, what });
}

function ofText(content: string): Kind | null {
  if (/^(?:[0-9a-f]{2})+$/i.test(content)) {
    return ["bytes in hex", 'those of a message go in as {"wire": "…"}; of a transaction, `inspect` says what it is'];
  }
  return content.startsWith("cHNidP8") ? ["a PSBT", "--finish takes it, with the command that wrote it"] : null;
}

function ofDocument(document: unknown): Kind | null {
  if (Array.isArray(document)) return ["a list", "messages go in one by one"];
  if (typeof document !== "object" || document === null || "type" in document || "wire" in document) return null;
  const format = "format" in document && typeof document.format === "string" ? document.format : null;
  const file = format === null ? undefined : FILES[format];
  if (file !== undefined) return file;
  const report = format === null ? "JSON of another kind" : `a ${format} report`;
  if ("psbt" in document) return [`${report} with a PSBT`, "a signer takes that, and --finish what it has signed"];
  if ("tx" in document || "transactions" in document) {
    return [format === null ? "a transaction" : `${report} with transactions`, TAKES_TRANSACTIONS];
  }
  return [report, "a message has a `type`, with BOLT 2's names of its fields, or a `wire`"];
}
