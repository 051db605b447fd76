import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Txid, displayTxid, toHex, txid } from "../bytes.js";
import { readWitnessSignature } from "../script/assemble.js";
import { isPointShaped } from "../script/known-script.js";
import type { DescribedElement, DescribedInput, DescribedOutput, TxDescription } from "../tx/describe.js";
import { type Explanation, type FieldKind, Reading, type Said, grouped, littleEndian, structure, takeCount } from "./reading.js";
import { type ScriptAbout, looseSaid, readScript, scriptTitle } from "./script.js";
import { type Ownership, SHARED_ANCHOR_SOURCE, sighashName } from "./words.js";

/** What is known of a transaction beside its bytes. */
export interface TxAbout {
  readonly ownership: Ownership;
  /** How each output's amount came about, in words, where that is known. */
  readonly amounts: readonly (string | undefined)[];
  /** The words for the hidden commitment number. */
  readonly number?: string;
}

const TX = "Bitcoin transaction format";
const SEGWIT = "BIP 144";
const COMMITMENT = "BOLT 3 §Commitment Transaction";

/** Every byte of a transaction, in their order. */
export function explainTransaction(tx: Transaction, bytes: Uint8Array, description: TxDescription, about: TxAbout): Explanation {
  const reading = new Reading(bytes);
  readTransaction(reading, tx, description, about);
  return reading.end();
}

/** The same within something else. */
export function readTransaction(reading: Reading, tx: Transaction, description: TxDescription, about: TxAbout): void {
  const { inputs, outputs, obscuredNumber } = description;
  const marked = obscuredNumber !== null;
  const [, , , , marker, mark] = reading.peek(6);
  const segwit = marker === 0 && mark === 1;

  reading.heading("transaction");
  reading.take("version", 4, (raw) => versionSaid(Number(littleEndian(raw))));
  if (segwit) {
    reading.take("marker", 1, () => structure("marker", "0", "no inputs: what old readers take this for. The transaction carries witnesses", SEGWIT));
    reading.take("flag", 1, () => structure("flag", "1", "witnesses stand behind the outputs", SEGWIT));
  }
  takeCount(reading, "input_count", (count) => structure("input count", grouped(count), inputCountWords(count, description), TX));
  for (const [at, input] of inputs.entries()) {
    reading.heading(`input ${at}${input.spent?.name === null || input.spent === null ? "" : `, which spends the ${input.spent.name} output`}`);
    reading.within(`inputs[${at}]`, () => {
      readInput(reading, input, { tx, marked, ownership: about.ownership });
    });
  }
  takeCount(reading, "output_count", (count) => structure("output count", grouped(count), outputCountWords(description), TX));
  for (const [at, output] of outputs.entries()) {
    reading.heading(`output ${at}: ${outputTitle(output)}`);
    reading.within(`outputs[${at}]`, () => {
      readOutput(reading, output, about.amounts[at], about.ownership);
    });
  }
  if (segwit) for (const [at, input] of inputs.entries()) readWitness(reading, at, input, about.ownership);
  reading.heading("locktime");
  if (marked) readHidden(reading, "locktime", "lower", 0x20, about.number);
  else reading.take("locktime", 4, (raw) => locktimeSaid(Number(littleEndian(raw)), description));
}

function versionSaid(version: number): Said {
  const words =
    version === 3
      ? "topologically restricted until confirmed (BIP 431), relative locktimes hold"
      : version === 2
        ? "relative locktimes hold (BIP 68)"
        : version < 2
          ? "nSequence is no relative locktime"
          : "no rule of its own";
  return {
    label: "version",
    kind: "number",
    value: String(version),
    meaning: words,
    source: version === 3 ? "BIP 431" : version === 2 ? COMMITMENT : TX,
  };
}

function inputCountWords(count: number, { obscuredNumber }: TxDescription): string {
  if (obscuredNumber !== null) return "a commitment has one input: the funding output";
  return count === 1 ? "one output of an earlier transaction is spent" : "as many outputs of earlier transactions are spent";
}

function outputCountWords({ ordered, obscuredNumber }: TxDescription): string {
  if (ordered) return "they stand by amount, then by script (BIP 69)";
  return obscuredNumber === null ? "in no particular order" : "they do not stand by amount and script, as BOLT 3 demands";
}

function outputTitle({ name, type, amount }: DescribedOutput): string {
  const what = name === "unknown" ? `unknown (${type})` : name;
  return `${what}, ${grouped(amount)} sat`;
}

interface InputAbout {
  readonly tx: Transaction;
  readonly marked: boolean;
  readonly ownership: Ownership;
}

function readInput(reading: Reading, input: DescribedInput, { tx, marked, ownership }: InputAbout): void {
  const { spent } = input;
  const parent = tx.isCoinbase() ? "none: new coins" : "the transaction whose output is spent, its txid in reverse order";
  reading.take("txid", 32, (raw) => ({
    label: "previous txid",
    kind: "hash",
    value: displayTxid(idOf(raw)),
    meaning: spent?.name === "funding" ? "the funding transaction, its txid in reverse order" : parent,
    source: marked ? COMMITMENT : TX,
  }));
  reading.take("output_index", 4, (raw) => {
    const amount = spent === null ? "; its amount is not in these bytes" : `: ${grouped(spent.amount)} sat`;
    return { label: "output index", kind: "number", value: littleEndian(raw).toString(), meaning: `which of its outputs${amount}`, source: TX };
  });
  const size = takeCount(reading, "script_sig_length", (length) =>
    structure(
      "script_sig length",
      grouped(length),
      length === 0 ? "empty: a witness opens the lock, or nothing yet" : "bytes of script_sig follow",
      TX,
    ),
  );
  if (tx.isCoinbase() && size > 0) {
    reading.take("script_sig", size, () => ({
      label: "coinbase data",
      kind: "data",
      meaning: "the height (BIP 34) and whatever the miner wants",
      source: "BIP 34",
    }));
  } else {
    reading.within("script_sig", () => {
      readScript(reading, input.scriptSig, { ownership });
    });
  }
  if (marked) readHidden(reading, "sequence", "upper", 0x80, undefined);
  else reading.take("sequence", 4, (raw) => sequenceSaid(Number(littleEndian(raw)), input));
}

const idOf = (raw: Uint8Array): Txid => txid(Uint8Array.from(raw));

/** Half of the number that a commitment hides, and its mark. BOLT 3 §Commitment Transaction. */
function readHidden(reading: Reading, field: "locktime" | "sequence", half: "upper" | "lower", mark: number, words: string | undefined): void {
  reading.take(`${field}.obscured`, 3, (raw) => ({
    label: `${field}, 24 bits`,
    kind: "number",
    value: littleEndian(raw).toString(16).padStart(6, "0"),
    meaning: `the ${half} half of the obscured commitment number${words === undefined ? "" : `; ${words}`}`,
    source: COMMITMENT,
  }));
  reading.take(`${field}.mark`, 1, () => ({
    label: `${field}, 8 bits`,
    kind: "structure",
    value: mark.toString(16),
    meaning:
      field === "locktime"
        ? "a commitment's mark: read as a time it lies in the past, so the transaction is final"
        : "a commitment's mark: no relative locktime (BIP 68)",
    source: COMMITMENT,
  }));
}

const FINAL = 0xffffffff;
const DISABLED = 0x80000000;
const IN_SECONDS = 0x00400000;
const SECONDS_A_STEP = 512;

function sequenceSaid(sequence: number, { path }: DescribedInput): Said {
  const said = (meaning: string, source: string): Said => ({
    label: "sequence",
    kind: "time",
    value: sequence.toString(16).padStart(8, "0"),
    meaning,
    source,
  });
  if (sequence === FINAL) return said("final: no relative locktime, and nLockTime is not asked for", TX);
  if (sequence >= DISABLED) {
    const replaceable = sequence < FINAL - 1 ? "; can be replaced (BIP 125)" : "";
    return said(`no relative locktime (BIP 68)${replaceable}`, "BIP 68");
  }
  const steps = sequence & 0xffff;
  if ((sequence & IN_SECONDS) !== 0) return said(`${grouped(steps * SECONDS_A_STEP)} seconds after the spent output is confirmed`, "BIP 68");
  const wait = steps === 0 ? "no relative locktime" : `${grouped(steps)} ${steps === 1 ? "block" : "blocks"} after the spent output is confirmed`;
  const why = path?.csv === steps && steps > 0 ? `, as the script's ${path.name} branch demands` : "";
  return said(`${wait}${why}; can be replaced (BIP 125)`, "BIP 68");
}

/** From here on a locktime is a time in seconds (BIP 65). */
const TIMES_FROM = 500_000_000;

function locktimeSaid(locktime: number, { kind, inputs }: TxDescription): Said {
  const idle = inputs.every(({ sequence }) => sequence === FINAL);
  const htlc = kind === "htlc_timeout" ? ": cltv_expiry of the HTLC that has timed out" : "";
  const after = locktime < TIMES_FROM ? `not before the block after ${grouped(locktime)}` : `not before the Unix time ${grouped(locktime)}`;
  const meaning = locktime === 0 ? "at any time" : idle ? `${after}, but every input's sequence switches it off` : `${after}${htlc}`;
  const source = kind === "htlc_timeout" || kind === "htlc_success" ? "BOLT 3 §HTLC-Timeout and HTLC-Success Transactions" : TX;
  return { label: "locktime", kind: "time", value: locktime.toString(), meaning, source };
}

const OUTPUT_SOURCES: Readonly<Record<DescribedOutput["name"], string>> = {
  to_local: "BOLT 3 §`to_local` Output",
  to_remote: "BOLT 3 §`to_remote` Output",
  anchor: "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)",
  to_local_anchor: "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)",
  to_remote_anchor: "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)",
  shared_anchor: SHARED_ANCHOR_SOURCE,
  offered_htlc: "BOLT 3 §Offered HTLC Outputs",
  received_htlc: "BOLT 3 §Received HTLC Outputs",
  funding: "BOLT 3 §Funding Transaction Output",
  htlc_tx_output: "BOLT 3 §HTLC-Timeout and HTLC-Success Transactions",
  close_to_local: "BOLT 3 §Closing Transaction",
  close_to_remote: "BOLT 3 §Closing Transaction",
  unknown: TX,
};

function readOutput(reading: Reading, output: DescribedOutput, words: string | undefined, ownership: Ownership): void {
  reading.take("amount", 8, (raw) => ({
    label: "amount",
    kind: "amount",
    value: `${grouped(littleEndian(raw))} sat`,
    meaning: words ?? "in satoshis; what it was reckoned from is not in these bytes",
    source: OUTPUT_SOURCES[output.name],
  }));
  takeCount(reading, "script_pubkey_length", (length) => structure("script_pubkey length", grouped(length), "bytes of the output's script", TX));
  reading.within("script_pubkey", () => {
    readScript(reading, output.scriptPubkey, { ownership, paths: output.paths, ...paysWords(output) });
  });
}

function paysWords({ name, type, script }: DescribedOutput): Pick<ScriptAbout, "pays"> {
  if (name === "unknown") return {};
  const of = type === "p2wsh" ? `the ${name} script${script === null ? ", which is not in these bytes" : ""}` : name;
  return { pays: of };
}

function readWitness(reading: Reading, at: number, { elements, path, script, matchesOutput }: DescribedInput, ownership: Ownership): void {
  const by = path === null ? "" : `, by the ${path.name} path`;
  reading.heading(`witness of input ${at}${by}${matchesOutput === false ? ": it does not open the output that is spent" : ""}`);
  reading.within(`inputs[${at}].witness`, () => {
    takeCount(reading, "count", (count) =>
      structure("element count", grouped(count), count === 0 ? "no witness" : "elements on the stack, the last one on top", SEGWIT),
    );
    const tapscript = tapscriptAt(elements, script !== null);
    for (const [index, element] of elements.entries()) {
      const { name, bytes } = element;
      reading.within(`[${index}]`, () => {
        takeCount(reading, "length", (length) => structure(name, length === 0 ? "empty" : `${grouped(length)} bytes`, elementWords(element), SEGWIT));
        if (bytes.length === 0) return;
        if (name.endsWith(" script")) {
          reading.heading(`witness script: ${scriptTitle(bytes)}`, 2);
          readScript(reading, bytes, { ownership });
        } else if (index === tapscript) {
          reading.heading("tapscript, if a taproot output is spent by its script path", 2);
          readScript(reading, bytes, { ownership });
        } else if (index === tapscript + 1 && tapscript >= 0) readControlBlock(reading, bytes.length);
        else readElement(reading, element);
      });
    }
  });
}

function elementWords({ bytes, signature }: DescribedElement): string {
  if (bytes.length === 0) return "an empty element: its length is all there is of it";
  if (signature === null) return "an element of the witness";
  const verdicts = {
    good: "good for its key",
    bad: "NOT good for its key",
    unchecked: "not checked: it covers the spent amount, which is not known",
  };
  return signature.encoding === "compact" ? `64 bytes as messages carry them, no DER: ${verdicts[signature.verdict]}` : verdicts[signature.verdict];
}

/** BIP 341: a leaf version and parity, the internal key, and the path of hashes. */
const CONTROL_BASE = 33;
const HASH = 32;
const TAPSCRIPT_LEAF = 0xc0;

/** Where a tapscript would stand: before a control block, which is told by its form alone; −1 where there is none. */
function tapscriptAt(elements: readonly DescribedElement[], known: boolean): number {
  const last = elements.at(-1)?.bytes;
  if (known || last === undefined || elements.length < 2 || last.length < CONTROL_BASE) return -1;
  const fits = (last.length - CONTROL_BASE) % HASH === 0 && ((last[0] ?? 0) & 0xfe) === TAPSCRIPT_LEAF;
  return fits ? elements.length - 2 : -1;
}

function readControlBlock(reading: Reading, size: number): void {
  const source = "BIP 341";
  reading.heading("control block, if a taproot output is spent by its script path", 2);
  reading.take("leaf_version", 1, (raw) => ({
    label: "leaf version",
    kind: "number",
    value: toHex(raw),
    meaning: "tapscript, and the output key's parity in the lowest bit",
    source,
  }));
  reading.take("internal_key", HASH, () => ({ label: "internal key", kind: "key", meaning: "the key below the output key's tweak", source }));
  for (let at = 0; at < (size - CONTROL_BASE) / HASH; at++) {
    reading.take(`path[${at}]`, HASH, () => ({ label: "sibling hash", kind: "hash", meaning: "a step from the leaf to the root", source }));
  }
}

const ELEMENT_KINDS: readonly (readonly [name: RegExp, kind: FieldKind, meaning: string])[] = [
  [/^payment_preimage$/, "hash", "32 bytes whose SHA256 is the payment_hash"],
  [/^revocationpubkey$/, "key", "the key whose hash the script holds, shown to punish"],
  [/^pubkey$/, "key", "the key whose hash the output holds"],
  [/^01$/, "number", "true: takes the script's first branch"],
];

function readElement(reading: Reading, { name, bytes }: DescribedElement): void {
  if (readWitnessSignature(bytes) !== null) {
    readDer(reading);
    return;
  }
  const known = ELEMENT_KINDS.find(([pattern]) => pattern.test(name));
  reading.take("bytes", bytes.length, () => {
    if (known !== undefined) return { label: name, kind: known[1], meaning: known[2], source: "BOLT 3 §Commitment Transaction Outputs" };
    return isPointShaped(bytes) || name === "data"
      ? looseSaid(bytes)
      : { label: name, kind: "signature", meaning: "r, then s", source: "BOLT 2 §Committing Updates So Far: `commitment_signed`" };
  });
}

/** A strict DER signature and its sighash type (BIP 66). */
export function readDer(reading: Reading): void {
  const source = "BIP 66";
  reading.take("der", 2, (raw) => structure("DER sequence", `${raw[1] ?? 0} bytes`, "the signature without the sighash type", source));
  for (const half of ["r", "s"] as const) {
    const [, size = 0] = reading.peek(2);
    reading.take(`${half}_header`, 2, () =>
      structure("DER integer", `${size} bytes`, size === 33 ? "its first byte is 0: the number is not negative" : `the length of ${half}`, source),
    );
    reading.take(half, size, () => ({
      label: half,
      kind: "signature",
      meaning: half === "r" ? "x coordinate of the nonce's point" : "the half that holds key and message",
      source: "ECDSA",
    }));
  }
  reading.take("sighash_type", 1, (raw) => {
    const name = sighashName(raw[0] ?? 0);
    return { label: "sighash type", kind: "number", value: name, meaning: sighashWords(name), source: "BIP 143" };
  });
}

function sighashWords(name: string): string {
  switch (name) {
    case "ALL":
      return "covers the whole transaction";
    case "SINGLE|ANYONECANPAY":
      return "covers this input and the output beside it: others may be added to pay the fee";
    default:
      return "covers a part of the transaction";
  }
}
