import { equalBytes, scriptPubkey } from "../bytes.js";
import { LnError } from "../errors.js";
import { readWitnessSignature } from "../script/assemble.js";
import { scriptTypeOf } from "../script/known-script.js";
import { type Knowledge, describeTransaction } from "../tx/describe.js";
import { parseTransaction } from "../tx/parse.js";
import { type Explanation, type FieldKind, Reading, type Said, grouped, littleEndian, structure, takeCount } from "./reading.js";
import { looseSaid, readScript } from "./script.js";
import { readDer, readTransaction } from "./transaction.js";
import { type Ownership, sighashName } from "./words.js";

const BIP174 = "BIP 174";
const BIP371 = "BIP 371";

/** How the value of a field is read. */
type Form = "transaction" | "output" | "script" | "signature" | "sighash" | "witness" | "proprietary" | "number" | FieldKind;
type Entry = readonly [name: string, form: Form, meaning: string, source?: string];
type Map = "global" | "input" | "output";

const SCRIPTS: Readonly<Record<string, Entry>> = {
  redeem: ["redeem script", "script", "the script whose hash a P2SH output holds"],
  witness: ["witness script", "script", "the script whose hash a P2WSH output holds"],
};
const DERIVATION: Entry = ["BIP 32 derivation", "data", "of the key: the master key's fingerprint and the path"];

/** The fields of the three kinds of maps, by their types. */
const FIELDS: Readonly<Record<Map, Readonly<Record<number, Entry>>>> = {
  global: {
    0x00: ["unsigned transaction", "transaction", "what is to be signed, without signatures"],
    0x01: ["extended public key", "data", "of a signer: the master key's fingerprint and the path"],
    0xfb: ["version", "number", "of the PSBT's form"],
  },
  input: {
    0x00: ["previous transaction", "transaction", "the whole transaction whose output is spent"],
    0x01: ["spent output", "output", "amount and script of what is spent"],
    0x02: ["partial signature", "signature", "one key's signature"],
    0x03: ["sighash type", "sighash", "the type that signatures of this input must have"],
    0x04: SCRIPTS["redeem"] ?? DERIVATION,
    0x05: SCRIPTS["witness"] ?? DERIVATION,
    0x06: DERIVATION,
    0x07: ["final script_sig", "script", "finished: goes into the transaction as it is"],
    0x08: ["final witness", "witness", "finished: goes into the transaction as it is"],
    0x0a: ["RIPEMD160 preimage", "hash", "its hash is in the key"],
    0x0b: ["SHA256 preimage", "hash", "its hash, the payment_hash, is in the key"],
    0x0c: ["HASH160 preimage", "hash", "its hash, as the script compares it, is in the key"],
    0x0d: ["HASH256 preimage", "hash", "its hash is in the key"],
    0x13: ["taproot key signature", "data", "by the output key", BIP371],
    0x14: ["taproot script signature", "data", "by a key in a leaf", BIP371],
    0x15: ["taproot leaf script", "data", "and its leaf version; the control block is in the key", BIP371],
    0x16: ["taproot BIP 32 derivation", "data", "of the key: leaves, fingerprint, path", BIP371],
    0x17: ["taproot internal key", "key", "the key below the output key's tweak", BIP371],
    0x18: ["taproot merkle root", "hash", "of the leaves", BIP371],
  },
  output: {
    0x00: SCRIPTS["redeem"] ?? DERIVATION,
    0x01: SCRIPTS["witness"] ?? DERIVATION,
    0x02: DERIVATION,
    0x05: ["taproot internal key", "key", "the key below the output key's tweak", BIP371],
    0x06: ["taproot tree", "data", "of the leaves", BIP371],
    0x07: ["taproot BIP 32 derivation", "data", "of the key: leaves, fingerprint, path", BIP371],
  },
};
const PROPRIETARY = 0xfc;
const UNSIGNED_TX = 0x00;
const PREIMAGES: readonly number[] = [0x0a, 0x0b, 0x0c, 0x0d];

const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff);
const CHANKIT = new TextEncoder().encode("chankit");

/** Every byte of a PSBT of version 0, in their order. BIP 174. Throws: input-psbt, tx-not-parsed. */
export function explainPsbt(bytes: Uint8Array, ownership: Ownership): Explanation {
  const reading = new Reading(bytes);
  try {
    readPsbt(reading, ownership);
    return reading.end();
  } catch (error) {
    // It ends too early, or goes on behind its last map
    if (error instanceof LnError && error.code === "internal-explain") throw new LnError("input-psbt", `not a PSBT: ${error.message}`, error.details);
    throw error;
  }
}

function readPsbt(reading: Reading, ownership: Ownership): void {
  const source = BIP174;
  if (!equalBytes(reading.peek(MAGIC.length), MAGIC)) throw new LnError("input-psbt", "not a PSBT: it does not begin as one", {});
  reading.heading("partially signed transaction");
  reading.take("magic", MAGIC.length, () => ({ label: "magic", kind: "structure", value: "psbt, ff", meaning: "what a PSBT begins with", source }));
  const counts = { inputs: -1, outputs: -1 };
  const about: About = {
    ownership,
    onTransaction: (inputs, outputs) => {
      counts.inputs = inputs;
      counts.outputs = outputs;
    },
  };
  reading.heading("global map");
  readMap(reading, "global", about);
  if (counts.inputs < 0) throw new LnError("input-psbt", "a PSBT without an unsigned transaction: version 0 has one", {});
  for (const map of ["input", "output"] as const) {
    for (let at = 0; at < counts[`${map}s`]; at++) {
      reading.heading(`map of ${map} ${at}`);
      reading.within(`${map}s[${at}]`, () => {
        readMap(reading, map, about);
      });
    }
  }
}

interface About {
  readonly ownership: Ownership;
  readonly onTransaction: (inputs: number, outputs: number) => void;
}

function readMap(reading: Reading, map: Map, about: About): void {
  for (let at = 0; reading.peek(1)[0] !== 0; at++) {
    reading.within(`[${at}]`, () => {
      readPair(reading, map, about);
    });
  }
  reading.take("end", 1, () => structure("end of map", "0", "a key of length 0 ends the map", BIP174));
}

function readPair(reading: Reading, map: Map, about: About): void {
  const keySize = takeCount(reading, "key_length", (size) => length("key length", size, "the key's type, and what tells keys of one type apart"));
  const [type = 0] = reading.peek(1);
  const proprietary: Entry = ["proprietary field", "proprietary", "of whoever the key names"];
  const [label, form, meaning, source = BIP174]: Entry =
    type === PROPRIETARY ? proprietary : (FIELDS[map][type] ?? ["unknown field", "data", "a type that chankit does not know"]);
  reading.heading(label, 2);
  reading.take("type", 1, () => ({
    label: "key type",
    kind: "structure",
    value: `${type.toString(16).padStart(2, "0")}, ${label}`,
    meaning,
    source,
  }));
  const own = form === "proprietary" ? readProprietaryKey(reading, keySize - 1) : null;
  if (own === null && form !== "proprietary") {
    reading.take("key", keySize - 1, (raw) =>
      PREIMAGES.includes(type) ? { label: "hash", kind: "hash", meaning: "of the preimage", source } : looseSaid(raw),
    );
  }
  const size = takeCount(reading, "value_length", (count) => length("value length", count, label));
  reading.within("value", () => {
    if (size === 0) return;
    if (own !== null) readOwnValue(reading, own, size);
    else readValue(reading, { label, form, meaning, source, size, main: map === "global" && type === UNSIGNED_TX }, about);
  });
}

function length(label: string, size: number, meaning: string): Said {
  return structure(label, size === 1 ? "1 byte" : `${grouped(size)} bytes`, meaning, BIP174);
}

interface ValueAbout {
  readonly label: string;
  readonly form: Form;
  readonly meaning: string;
  readonly source: string;
  readonly size: number;
  /** Whether it is the PSBT's own transaction. */
  readonly main: boolean;
}

function readValue(reading: Reading, { label, form, meaning, source, size, main }: ValueAbout, { ownership, onTransaction }: About): void {
  const bytes = reading.peek(size);
  switch (form) {
    case "transaction": {
      const tx = parseTransaction(bytes);
      if (main) onTransaction(tx.ins.length, tx.outs.length);
      readTransaction(reading, tx, describeTransaction(tx, NOTHING_KNOWN), { ownership, amounts: [] });
      return;
    }
    case "output": {
      reading.take("amount", 8, (raw) => ({
        label: "amount",
        kind: "amount",
        value: `${grouped(littleEndian(raw))} sat`,
        meaning: "of the spent output",
        source,
      }));
      const script = takeCount(reading, "script_pubkey_length", (count) => length("script_pubkey length", count, "bytes of the output's script"));
      reading.within("script_pubkey", () => {
        readScript(reading, scriptPubkey(reading.peek(script)), { ownership, pays: `what the input spends (${scriptTypeOf(reading.peek(script))})` });
      });
      return;
    }
    case "script":
      readScript(reading, bytes, { ownership });
      return;
    case "signature":
      if (readWitnessSignature(bytes) !== null) readDer(reading);
      else reading.take("bytes", size, looseSaid);
      return;
    case "sighash":
      reading.take("bytes", size, (raw) => ({ label, kind: "number", value: sighashName(Number(littleEndian(raw))), meaning, source }));
      return;
    case "number":
      reading.take("bytes", size, (raw) => ({ label, kind: "number", value: littleEndian(raw).toString(), meaning, source }));
      return;
    case "witness": {
      const count = takeCount(reading, "count", (elements) =>
        structure("element count", grouped(elements), "elements on the stack, the last one on top", BIP174),
      );
      for (let at = 0; at < count; at++) {
        reading.within(`[${at}]`, () => {
          const element = takeCount(reading, "length", (each) => length("element length", each, "an element of the witness"));
          reading.take("bytes", element, looseSaid);
        });
      }
      return;
    }
    default:
      reading.take("bytes", size, () => ({ label, kind: form === "proprietary" ? "data" : form, meaning, source }));
  }
}

const NOTHING_KNOWN: Knowledge = { spent: [], outputs: [] };

/** Who a proprietary field is of, and what it says; null where it is none of ours. */
function readProprietaryKey(reading: Reading, size: number): number | null {
  const from = reading.left;
  const name = takeCount(reading, "identifier_length", (count) => length("identifier length", count, "bytes of the name"));
  const ours = equalBytes(reading.peek(name), CHANKIT);
  reading.take("identifier", name, (raw) => ({
    label: "identifier",
    kind: "data",
    value: new TextDecoder().decode(raw),
    meaning: "who the field is of",
    source: BIP174,
  }));
  const subtype = takeCount(reading, "subtype", (value) =>
    structure("subtype", String(value), ours ? (OWN[value]?.meaning ?? "not one of chankit's") : "what the owner means by it", BIP174),
  );
  reading.take("key", size - (from - reading.left), looseSaid);
  return ours && OWN[subtype] !== undefined ? subtype : null;
}

const POINT = 33;

/** chankit's own fields: how the key that signs follows from a basepoint. */
const OWN: Readonly<Record<number, { readonly meaning: string; readonly second: string; readonly kind: FieldKind; readonly words: string }>> = {
  0: {
    meaning: "chankit's: how the key in the key is derived",
    second: "per_commitment_point",
    kind: "key",
    words: "of the commitment whose output is spent",
  },
  1: {
    meaning: "chankit's: how the revocation key in the key is derived",
    second: "per_commitment_secret",
    kind: "secret",
    words: "which the peer gave away: it is not shown",
  },
};

function readOwnValue(reading: Reading, subtype: number, size: number): void {
  const own = OWN[subtype];
  const source = "BOLT 3 §Key Derivation";
  reading.take("basepoint", Math.min(POINT, size), () => ({ label: "basepoint", kind: "key", meaning: "our basepoint", source }));
  if (own !== undefined) reading.take(own.second, size - POINT, () => ({ label: own.second, kind: own.kind, meaning: own.words, source }));
}
