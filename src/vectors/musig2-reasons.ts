import { type JsonPath, formatPath } from "../json/path.js";
import { fromHex, toHex } from "../protocol/bytes.js";
import { ecc } from "../protocol/ecc.js";
import { LnError } from "../protocol/errors.js";
import { FIELD_ORDER, GROUP_ORDER, fromNumber, toNumber } from "../protocol/keys/group.js";

/* Why BIP 327's vectors must be refused: the reasons that are true of a refusal, in the words that BIP 327 has for each. */

/** A verification that failed, and what may be said of it. */
class NotVerified extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super();
    this.reasons = reasons;
  }
}

/** The stated reason where it is a true one; else the first true one. */
export function refusalReason(stated: unknown, act: () => unknown): unknown {
  const reasons = reasonsOf(act);
  return reasons.includes(stated as string) ? stated : reasons[0];
}

function reasonsOf(act: () => unknown): readonly string[] {
  try {
    act();
    return ["it is not refused"];
  } catch (error) {
    if (error instanceof NotVerified) return error.reasons;
    if (error instanceof LnError) return [...reasonsFor(error), error.message];
    throw error;
  }
}

function reasonsFor({ code, details }: LnError): readonly string[] {
  const { signer, value } = details;
  const bytes = typeof value === "string" ? fromHex(value) : new Uint8Array();
  switch (code) {
    case "key-not-on-curve":
      return [
        KEY_DEFECTS[defectOf(bytes) ?? "curve"],
        `Signer ${String(signer)} provided an invalid public key`,
        "Invalid public key",
        "Invalid pubkey",
      ];
    case "key-nonce-invalid": {
      const halves = [defectOf(bytes.subarray(0, 33)), defectOf(bytes.subarray(33))];
      const words = NONCE_DEFECTS[halves[0] ?? halves[1] ?? "curve"]
        .replace("HALF", halves[0] === null ? "second half" : "first half")
        .replace("TAG", toHex(halves[0] === null ? bytes.subarray(33, 34) : bytes.subarray(0, 1)));
      const subjects = signer === undefined ? ["Aggregate nonce", "aggothernonce"] : [`Public nonce from signer ${String(signer)}`];
      return [...subjects.map((subject) => `${subject} is invalid ${words}`), ...(signer === undefined ? [] : ["Invalid pubnonce"])];
    }
    case "key-tweak-range":
      return ["Tweak is out of range", "Tweak is invalid because it exceeds group size"];
    case "key-degenerate":
      return ["Intermediate tweaking result is point at infinity"];
    case "key-not-a-signer":
      return [NOT_IN_LIST, `${NOT_IN_LIST}. ${OPTIONAL}`];
    case "key-nonce-used":
      return ["Secnonce is invalid which may indicate nonce reuse"];
    case "key-partial-signature-range":
      return ["Partial signature is invalid because it exceeds group size"];
    default:
      return [];
  }
}

const NOT_IN_LIST = "The signers pubkey is not in the list of pubkeys";
const OPTIONAL =
  "This test case is optional: it can be skipped by implementations that do not check that the signer's pubkey is included in the list of pubkeys.";

type Defect = "infinity" | "tag" | "field" | "curve";

/** What is wrong with the bytes of a point; null where nothing is. */
function defectOf(bytes: Uint8Array): Defect | null {
  if (bytes.every((byte) => byte === 0)) return "infinity";
  if (bytes[0] !== 2 && bytes[0] !== 3) return "tag";
  if (toNumber(bytes.subarray(1)) >= FIELD_ORDER) return "field";
  return ecc().isPoint(bytes) ? null : "curve";
}

const KEY_DEFECTS: Readonly<Record<Defect, string>> = {
  tag: "First byte of public key is not 2 or 3",
  field: "Public key exceeds field size",
  curve: "Invalid public key",
  infinity: "Invalid public key",
};

const NONCE_DEFECTS: Readonly<Record<Defect, string>> = {
  tag: "due wrong tag, 0xTAG, in the HALF",
  field: "because HALF exceeds field size",
  curve: "because the HALF does not correspond to an X coordinate",
  infinity: "because HALF corresponds to point at infinity",
};

/** What is true of a share that does not verify; where it does, nothing. Throws: NotVerified. */
export function failedVerification(
  share: Uint8Array,
  signers: number,
  stated: number,
  verifies: (candidate: Uint8Array, signer: number) => boolean,
): void {
  if (stated < signers && verifies(share, stated)) return;
  const negated = fromNumber((GROUP_ORDER - (toNumber(share) % GROUP_ORDER)) % GROUP_ORDER);
  const others = Array.from({ length: signers }, (_, signer) => signer).filter((signer) => signer !== stated);
  throw new NotVerified([
    ...(toNumber(share) >= GROUP_ORDER ? ["Signature exceeds group size"] : []),
    ...(stated < signers && verifies(negated, stated) ? ["Wrong signature (which is equal to the negation of valid signature)"] : []),
    ...(others.some((signer) => verifies(share, signer)) ? ["Wrong signer"] : []),
    "Wrong signature",
  ]);
}

/** What `derive` gives; where an input is refused, that with its place. */
export function within<T>(path: JsonPath, derive: () => T): T {
  try {
    return derive();
  } catch (error) {
    // Who knows a nearer place has said it
    if (!(error instanceof LnError) || "path" in error.details) throw error;
    const at = formatPath(path);
    throw new LnError(error.code, `${at}: ${error.message}`, { ...error.details, path: at });
  }
}
