import { type Node, parseTree } from "jsonc-parser";
import { type Explanation, type FieldKind, Reading, type Said, grouped, structure } from "../protocol/explain/reading.js";
import { LnError } from "../protocol/errors.js";
import { formatPath, type JsonPath } from "./path.js";
import { namesSecret } from "./redact.js";
import { parseStrict } from "./strict.js";

/** What a field of a state file is: its kind, what it is for, and the document that says so. */
type Field = readonly [kind: FieldKind, meaning: string, source?: string];

const OPEN = "BOLT 2 §The `open_channel` Message";
const COMMIT = "BOLT 2 §Committing Updates So Far: `commitment_signed`";
const REVOKE = "BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`";
const CLOSE = "BOLT 2 §Channel Close";
const RETRANSMIT = "BOLT 2 §Message Retransmission";
const OURS = "docs/architecture.md";

const HTLC: Readonly<Record<string, Field>> = {
  id: ["number", "counts the offering side's HTLCs from 0", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  offered_by: ["structure", "which side offered the HTLC", OURS],
  amount_msat: ["amount", "how much the HTLC pays, in millisatoshis", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  payment_hash: ["hash", "SHA256 of the preimage for which it pays", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  cltv_expiry: ["time", "the block from which on it has timed out", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
};

const SPEC: Readonly<Record<string, Field>> = {
  "spec.feerate_per_kw": ["amount", "satoshis per 1,000 weight of this commitment", "BOLT 3 §Fee Calculation"],
  "spec.balances.SIDE": ["amount", "what the side has in it before fee and anchors, in millisatoshis", "BOLT 3 §Commitment Transaction Construction"],
  "spec.htlcs": ["structure", "no HTLC is pending in it", "BOLT 3 §Commitment Transaction Outputs"],
  ...under("spec.htlcs[]", HTLC),
};

const POINT: Readonly<Record<string, Field>> = {
  number: ["number", "of the commitment that the point is for", "BOLT 3 §Keys"],
  point: ["key", "per_commitment_point", "BOLT 3 §Key Derivation"],
};

const PARAMS: Readonly<Record<string, Field>> = {
  funding_pubkey: ["key", "the side's key of the 2-of-2", OPEN],
  revocation_basepoint: ["key", "from it and the other side's secret this side punishes", OPEN],
  payment_basepoint: ["key", "what this side's plain output pays to", OPEN],
  delayed_payment_basepoint: ["key", "what this side's delayed output is derived from", OPEN],
  htlc_basepoint: ["key", "what this side's HTLC keys are derived from", OPEN],
  dust_limit_satoshis: ["amount", "smaller outputs are left out of this side's commitments", OPEN],
  max_htlc_value_in_flight_msat: ["amount", "most that this side takes in HTLCs at a time", OPEN],
  channel_reserve_satoshis: ["amount", "what this side demands that the other keeps", OPEN],
  htlc_minimum_msat: ["amount", "smallest HTLC that this side takes", OPEN],
  to_self_delay: ["time", "how long this side makes the other wait for its own money, in blocks", OPEN],
  max_accepted_htlcs: ["number", "most HTLCs that this side takes at a time", OPEN],
  upfront_shutdown_script: ["code", "the only script to which a mutual close may pay this side", OPEN],
};

const CLOSING_TERMS: Readonly<Record<string, Field>> = {
  payer: ["structure", "which side pays the fee of the close", CLOSE],
  "scripts.SIDE": ["code", "what the side is to be paid to", CLOSE],
  fee_satoshis: ["amount", "the fee of the close", CLOSE],
  locktime: ["time", "nLockTime of the close", CLOSE],
};

const CHANGE: Readonly<Record<string, Field>> = {
  "content.kind": ["structure", "what the change does", "BOLT 2 §Normal Operation"],
  "content.id": ["number", "of the payment or the HTLC", "BOLT 2 §Normal Operation"],
  "content.amount_msat": ["amount", "how much, in millisatoshis", "BOLT 2 §Normal Operation"],
  "content.payment_hash": ["hash", "SHA256 of the preimage", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  "content.cltv_expiry": ["time", "the block from which on the HTLC has timed out", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  "content.payment_preimage": ["secret", "for which the HTLC pays", "BOLT 2 §Normal Operation"],
  "content.feerate_per_kw": ["amount", "the new feerate, in satoshis per 1,000 weight", "BOLT 2 §Updating Fees: `update_fee`"],
  stage: ["structure", "how far the change is: proposed, signed, acked, countersigned, irrevocable", "BOLT 2 §Normal Operation"],
};

const CHANNEL: Readonly<Record<string, Field>> = {
  format: ["structure", "what kind of file this is", OURS],
  version: ["structure", "of the file's form", OURS],
  revision: ["number", "how often the state has changed, from 1", OURS],
  previous_state_hash: ["hash", "SHA256 of the state before, by which a restored copy is told", OURS],
  party: ["data", "the party's name, for file names and readers", OURS],
  purpose: ["structure", "a channel, or a test case whose transactions are for no chain", OURS],
  phase: ["structure", "how far the channel is", "BOLT 2 §Channel Establishment v1"],
  chain: ["structure", "the chain of the funding output", OPEN],
  channel_type: ["structure", "which kind of commitments", "BOLT 2 §Defined Channel Types"],
  opener: ["structure", "which side opened the channel, and pays the commitments' fees", "BOLT 3 §Fee Payment"],
  pay_extension: ["structure", "whether both agreed to chankit's `pay`", OURS],
  features: ["structure", "no feature was agreed on", "BOLT 9 §BOLT #9: Assigned Feature Flags"],
  "features[]": ["structure", "a feature that both have", "BOLT 9 §BOLT #9: Assigned Feature Flags"],
  temporary_channel_id: ["hash", "named the channel until there was a funding output", OPEN],
  funding_satoshis: ["amount", "the channel's capacity: what the opener put in", OPEN],
  push_msat: ["amount", "of that, what the opener gave to the accepter at once", OPEN],
  feerate_per_kw: ["amount", "of the first commitments, in satoshis per 1,000 weight", OPEN],
  "limits.min_feerate_per_kw": ["amount", "the lowest feerate that this party agrees to", OURS],
  "limits.max_feerate_per_kw": ["amount", "the highest feerate that this party agrees to", OURS],
  "limits.max_to_self_delay": ["time", "the longest delay that the peer may impose, in blocks", OURS],
  "limits.max_dust_limit_satoshis": ["amount", "the highest dust limit that the peer may have", OURS],
  "limits.max_dust_htlc_exposure_msat": [
    "amount",
    "most value that may stand in trimmed HTLCs of one commitment",
    "BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`",
  ],
  "params.remote": ["structure", "the peer has not answered yet", "BOLT 2 §The `accept_channel` Message"],
  ...under("params.SIDE", PARAMS),
  minimum_depth: ["time", "confirmations of the funding before channel_ready", "BOLT 2 §The `accept_channel` Message"],
  remote_first_point: ["key", "the peer's point 0, not known yet", OPEN],
  ...under("remote_first_point", POINT),
  channel_id: ["hash", "funding txid, its last two bytes XORed with the output index", "BOLT 2 §Definition of `channel_id`"],
  "channel_ready.SIDE": ["structure", "whether the side's channel_ready was sent", "BOLT 2 §The `channel_ready` Message"],
  "fundings[].txid": ["hash", "the funding transaction", "BOLT 3 §Funding Transaction Output"],
  "fundings[].output_index": ["number", "which of its outputs is the channel", "BOLT 3 §Funding Transaction Output"],
  "fundings[].amount": ["amount", "what it holds, in satoshis", "BOLT 3 §Funding Transaction Output"],
  ...commitments("fundings[].local.current", "our newest commitment that the peer has signed"),
  ...commitments("fundings[].local.previous", "our commitment before it, until its secret is given away"),
  ...commitments("fundings[].remote.current", "the peer's newest commitment that is not revoked"),
  ...commitments("fundings[].remote.next", "the peer's commitment that we signed beyond it"),
  funding_psbt: ["data", "a transaction that funds the channel, held until the peer's signature is stored", "BOLT 2 §The `funding_signed` Message"],
  own_points: ["structure", "no point of our own", OURS],
  ...under("own_points[]", POINT),
  remote_next_point: ["key", "the peer's point for its next commitment, not come yet", REVOKE],
  ...under("remote_next_point", POINT),
  "changes.SIDE": ["structure", "no change of the side's is on its way", "BOLT 2 §Normal Operation"],
  ...under("changes.SIDE[]", CHANGE),
  "staged.SIDE": ["structure", "no commitment is stated outright, as a test case does", OURS],
  ...under("staged.SIDE", { number: ["number", "of a commitment that a test case states outright", OURS], ...SPEC }),
  "next_ids.SIDE.htlc": ["number", "the id of the side's next HTLC", "BOLT 2 §Adding an HTLC: `update_add_htlc`"],
  "next_ids.SIDE.pay": ["number", "the id of the side's next pay", OURS],
  known_preimages: ["structure", "no preimage is known", "BOLT 2 §Normal Operation"],
  "known_preimages[]": ["secret", "a preimage with which an HTLC can be claimed", "BOLT 2 §Normal Operation"],
  remote_secrets: ["structure", "the peer has revoked nothing yet", "BOLT 3 §Efficient Per-commitment Secret Storage"],
  "remote_secrets[]": ["structure", "a slot that is not filled yet", "BOLT 3 §Efficient Per-commitment Secret Storage"],
  "remote_secrets[].index": ["number", "2^48 − 1 less the number of the commitment", "BOLT 3 §Efficient Per-commitment Secret Storage"],
  "remote_secrets[].secret": ["secret", "of a commitment that the peer has revoked", "BOLT 3 §Efficient Per-commitment Secret Storage"],
  "flags.behind": ["structure", "whether the peer has proved that we lost state", RETRANSMIT],
  "flags.force_closed": ["number", "our commitment that was signed for broadcast", "BOLT 5 §Failing a Channel"],
  "flags.shutdown_sent": ["structure", "whether we have sent shutdown", CLOSE],
  "flags.shutdown_received": ["structure", "whether the peer has", CLOSE],
  "flags.closing_signed": ["structure", "whether we have signed a mutual close", CLOSE],
  "shutdown_scripts.SIDE": ["code", "what the side named for a mutual close", CLOSE],
  "closing.offers.SIDE": ["structure", "no offer of the side's stands", CLOSE],
  ...under("closing.offers.SIDE", {
    ...CLOSING_TERMS,
    fee_range: ["amount", "no range of fees was named", CLOSE],
    "fee_range.min_fee_satoshis": ["amount", "the least fee that its maker would take", CLOSE],
    "fee_range.max_fee_satoshis": ["amount", "the highest fee that its maker would take", CLOSE],
    "signatures.both": ["signature", "of the close with both outputs", CLOSE],
    "signatures.SIDE": ["signature", "of the close in which only this side has an output", CLOSE],
    signatures: ["structure", "no signature", CLOSE],
  }),
  "closing.last_offer": ["structure", "who made the newest closing_signed", CLOSE],
  "closing.signed.SIDE": ["structure", "no close that both have signed, of those that the side pays for", CLOSE],
  ...under("closing.signed.SIDE", {
    ...CLOSING_TERMS,
    outputs: ["structure", "which outputs the close has", CLOSE],
    "signatures.SIDE": ["signature", "the side's signature of the close", CLOSE],
  }),
  "messages.last_sent": ["number", "how many messages went out", OURS],
  "messages.last_received": ["number", "how many came in", OURS],
  "messages.recently_received": ["structure", "none came in", OURS],
  "messages.recently_received[].seq": ["number", "of a message that came in", OURS],
  "messages.recently_received[].hash": ["hash", "SHA256 of its bytes: a repeat is told from another message", OURS],
  "messages.outbox": ["structure", "nothing is to be sent again", RETRANSMIT],
  "messages.outbox[].seq": ["number", "of a message that the peer may not have", RETRANSMIT],
  "messages.outbox[].type": ["structure", "what it is", RETRANSMIT],
  "messages.outbox[].wire": [
    "secret",
    "its bytes, which may hold a preimage; none where they hold a secret, and are made again from the keys",
    RETRANSMIT,
  ],
  "messages.outbox[].acked": ["structure", "whether the peer has shown that it has it", RETRANSMIT],
  "messages.last_reply": ["structure", "which of the two we sent last: the order of retransmission", RETRANSMIT],
  "messages.reestablishing": ["structure", "whether our channel_reestablish is out and the peer's has not come", RETRANSMIT],
  "messages.requests": ["structure", "no request has a name", OURS],
  "messages.requests[].id": ["data", "a --request-id", OURS],
  "messages.requests[].seq": ["number", "of the message that it got", OURS],
  "messages.requests[].wire": ["secret", "that message's bytes, which may hold a preimage", OURS],
};

const REVOKED: Readonly<Record<string, Field>> = {
  number: ["number", "of a commitment that the peer has revoked", REVOKE],
  funding_txid: ["hash", "the funding transaction that it spends", "BOLT 3 §Funding Transaction Output"],
  htlcs: ["structure", "it had no HTLC", "BOLT 5 §Revoked Transaction Close Handling"],
  ...under("htlcs[]", HTLC),
};

const HIGHWATER: Readonly<Record<string, Field>> = {
  format: ["structure", "what kind of file this is", OURS],
  version: ["structure", "of the file's form", OURS],
  revision: ["number", "of the state that was last in place when something could leave the party", OURS],
  state_hash: ["hash", "SHA256 of that state", OURS],
  lowest_unreleased: ["number", "the lowest own commitment whose secret is still ours alone", REVOKE],
  highest_signed: ["number", "the highest of the peer's commitments that we signed", COMMIT],
};

function under(path: string, fields: Readonly<Record<string, Field>>): Readonly<Record<string, Field>> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [`${path}.${name}`, field]));
}

function commitments(path: string, what: string): Readonly<Record<string, Field>> {
  return {
    [path]: ["structure", `there is none: ${what}`, OURS],
    ...under(path, {
      number: ["number", `of ${what}`, "BOLT 3 §Commitment Transaction"],
      point: ["key", "its per_commitment_point", "BOLT 3 §Key Derivation"],
      ...SPEC,
      signature: ["signature", "the peer's, of this commitment", COMMIT],
      htlc_signatures: ["structure", "no HTLC of it has an output", COMMIT],
      "htlc_signatures[]": ["signature", "the peer's, of the HTLC transaction of one output, in their order", COMMIT],
    }),
  };
}

/** The files of a party that are explained: what they are, and their fields. */
const FILES = {
  channel: { title: "a channel's state", fields: CHANNEL },
  highwater: { title: "how far a party has committed itself", fields: HIGHWATER },
  revoked: { title: "a revoked commitment that had HTLCs", fields: REVOKED },
} as const;
export type StateFile = keyof typeof FILES;

/** What a field of a party's file is for, and where that is written; null for what the file does not have. */
export function meaningIn(file: StateFile, path: JsonPath): { readonly meaning: string; readonly source: string } | null {
  const field = fieldAt(path, FILES[file].fields);
  if (field === undefined) return null;
  const [, meaning, source = OURS] = field;
  return { meaning, source };
}

function fieldAt(path: JsonPath, fields: Readonly<Record<string, Field>>): Field | undefined {
  return patternsOf(path)
    .map((pattern) => fields[pattern])
    .find((field) => field !== undefined);
}

/** Which of a party's files a document is, or null. */
export function stateFileOf(document: unknown): StateFile | null {
  if (typeof document !== "object" || document === null) return null;
  if ("format" in document) return document.format === "chankit-channel" ? "channel" : document.format === "chankit-highwater" ? "highwater" : null;
  return "funding_txid" in document && "htlcs" in document ? "revoked" : null;
}

/**
 * Every byte of the text of a party's file: each value under its path, and between them names and punctuation. `revoked.ndjson` has a document a line.
 * Throws: json-…, tx-not-parsed where it is none of those that can be shown.
 */
export function explainStateFile(text: string, source: string): Explanation {
  const encoder = new TextEncoder();
  const reading = new Reading(encoder.encode(text));
  let at = 0;
  let gaps = 0;
  const take = (name: string, to: number, say: () => Said): void => {
    reading.take(name, encoder.encode(text.slice(at, to)).length, say);
    at = to;
  };
  const between = (to: number): void => {
    take(`punctuation[${gaps++}]`, to, () => structure("punctuation", "", "names, and what JSON puts around values", "RFC 8259"));
  };
  // Only a line that begins a document ends the one before
  const documents = text.trimStart().startsWith("{") ? text.split(/(?<=\n)(?=\{)/) : [text];
  for (const [line, document] of documents.entries()) {
    const start = at;
    const file = stateFileOf(parseStrict(document, source));
    if (file === null) throw new LnError("tx-not-parsed", `${source} is none of a party's files that can be shown: ${SHOWN_FILES}`, { source });
    const { title, fields } = FILES[file];
    reading.heading(title);
    let part: PropertyKey | undefined;
    const tree = parseTree(document);
    for (const { path, node } of tree === undefined ? [] : valuesOf(tree, [])) {
      between(start + node.offset);
      if (path.length > 1 && path[0] !== part) reading.heading(String(path[0]), 2);
      part = path[0];
      const whole = documents.length > 1 ? [line, ...path] : path;
      take(formatPath(whole), start + node.offset + node.length, () => said(path, node, fields));
    }
    between(start + document.length);
  }
  return reading.end();
}

const SHOWN_FILES = "channel.json, highwater.json, revoked.ndjson";

interface Place {
  readonly path: JsonPath;
  readonly node: Node;
}

/** The single values in their order; an empty list or object is one, too. */
function valuesOf(node: Node, path: JsonPath): readonly Place[] {
  const { type, children = [] } = node;
  if (children.length === 0) return [{ path, node }];
  if (type === "array") return children.flatMap((child, at) => valuesOf(child, [...path, at]));
  return children.flatMap(({ children: [name, value] = [] }) => (value === undefined ? [] : valuesOf(value, [...path, String(name?.value)])));
}

function said(path: JsonPath, node: Node, fields: Readonly<Record<string, Field>>): Said {
  const [kind, meaning, source = OURS]: Field = fieldAt(path, fields) ?? [
    namesSecret(path) ? "secret" : "data",
    "a field that chankit does not know",
  ];
  const value: unknown = node.value ?? null;
  // What is not there is no secret
  const shown: FieldKind = kind === "secret" && value === null ? "structure" : kind;
  return { label: formatPath(path), kind: shown, value: shownAs(value), meaning, source };
}

/** The path as the tables have it: without list indices, and SIDE where they mean either side. */
function patternsOf(path: JsonPath): readonly string[] {
  const pattern = path
    .map((step) => (typeof step === "number" ? "[]" : String(step)))
    .join(".")
    .replaceAll(".[]", "[]");
  const side = /\b(?:local|remote)\b/;
  return [pattern, pattern.replaceAll(new RegExp(side, "g"), "SIDE"), pattern.replace(new RegExp(`${side.source}$`), "SIDE")];
}

function shownAs(value: unknown): string {
  if (value === null) return "none";
  if (typeof value === "number") return grouped(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
