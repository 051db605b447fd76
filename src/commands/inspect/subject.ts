import { explainStateFile, stateFileOf } from "../../json/explain-file.js";
import { readMessage } from "../../json/messages.js";
import { looksLikePsbt } from "../../json/psbt-form.js";
import { parseStrict } from "../../json/strict.js";
import { fromHex } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import { explainMessage } from "../../protocol/explain/message.js";
import { explainPsbt } from "../../protocol/explain/psbt.js";
import type { Explanation } from "../../protocol/explain/reading.js";
import { explainScript } from "../../protocol/explain/script.js";
import type { Ownership } from "../../protocol/explain/words.js";
import type { Subject } from "./subjects.js";
import { scriptTypeOf } from "../../protocol/script/known-script.js";

/** What is no transaction, explained. */
export interface OtherSubject {
  readonly subject: Exclude<Subject, "transaction">;
  readonly explanation: Explanation;
}

const NOBODY: Ownership = { names: null, owner: null, revocation: { kind: "unsaid" } };

/**
 * What a text holds that is no transaction, by its form or as `wanted` says; null where it may be one.
 * Throws: json-…, wire-…, key-shape, input-hex, input-psbt, tx-not-parsed.
 */
export function otherSubject(text: string, source: string, wanted: Subject | undefined): OtherSubject | null {
  const content = text.trim();
  const subject = wanted ?? guess(content, source);
  const of = (explanation: Explanation) => ({ subject, explanation }) as OtherSubject;
  switch (subject) {
    case "transaction":
      return null;
    case "message": {
      const wire = content.startsWith("{") ? readMessage(parseStrict(content, source), source).wire : fromHex(content);
      return of(explainMessage(wire));
    }
    case "script":
      return of(explainScript(fromHex(content), { ownership: NOBODY }));
    case "psbt":
      return of(explainPsbt(/^[0-9a-f]+$/i.test(content) ? fromHex(content) : fromBase64(content), NOBODY));
    case "state":
      return of(explainStateFile(text, source));
  }
}

/** Throws: json-…. */
function guess(content: string, source: string): Subject {
  if (looksLikePsbt(content)) return "psbt";
  if (content.startsWith("{")) {
    const [first = ""] = content.split(/\n(?=\{)/);
    const document = parseStrict(first, source);
    if (stateFileOf(document) !== null) return "state";
    const isTx = typeof document === "object" && document !== null && ("tx" in document || "unsigned_tx" in document);
    return !isTx && typeof document === "object" && document !== null && ("wire" in document || "type" in document) ? "message" : "transaction";
  }
  if (!/^(?:[0-9a-f]{2})+$/i.test(content)) return "transaction";
  const bytes = fromHex(content);
  if (isMessage(bytes)) return "message";
  return scriptTypeOf(bytes) === "other" ? "transaction" : "script";
}

function isMessage(bytes: Uint8Array): boolean {
  try {
    explainMessage(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Throws: input-psbt. */
function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new LnError("input-psbt", "not a PSBT in base64 or hex", {});
  }
}
