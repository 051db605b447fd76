import { readChannel } from "../json/channel-file.js";
import { parseStrict } from "../json/strict.js";
import { displayTxid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { heldCommitments } from "../protocol/channel/select.js";
import { type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { compareCommitment } from "../protocol/diagnose/compare.js";
import { SIDES } from "../protocol/side.js";
import { partyPaths } from "../store/paths.js";
import { type Pair, type Unpaired, fieldsBetween, pairsOf, standOf } from "./diff/states.js";
import { listing } from "./diff/listing.js";
import { transactionsApart } from "./diff/transactions.js";
import { defineCommand, type Document } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { flag, integer, oneOf } from "./shared/options.js";
import { readInput } from "./shared/load-party.js";
import { psbtWithin } from "./shared/psbt.js";
import { transactionIn } from "./shared/read-transaction.js";

type Tx = ReturnType<typeof transactionIn>;

/** What stands to be compared: a channel's state, or a transaction. */
type Subject = { readonly kind: "state"; readonly state: FundedChannel } | { readonly kind: "transaction"; readonly tx: Tx };

const flags = {
  owner: flag("--owner <side>", "of states: compare this side's commitments alone, as A says it: local or remote", oneOf(SIDES)),
  number: flag("--number <n>", "of states: compare the commitments of this number", integer(0, 2 ** 48 - 1)),
};

export const command = defineCommand({
  name: "diff",
  summary: "what differs between two states, views or transactions, and which field explains it",
  description:
    "Compares two states of a channel (two channel.json, or folders with one), the two parties' views of one channel, or two transactions (hex, PSBT, our reports). Of states it says every field that differs and, " +
    "each applied by itself and then two together, which of them make A's commitment B's, byte for byte. Of a state and a transaction it says where they part; why, `diagnose` searches. Needs no keys and shows no secret. " +
    "Exit 0 where nothing differs, 1 where something does.",
  args: [
    { syntax: "<a>", help: "a party's folder, a channel file, or a transaction; - for standard input" },
    { syntax: "<b>", help: "what it is compared with" },
  ],
  flags,
  examples: ["chankit diff alice bob --text", "chankit diff alice-backup/channel.json alice", "chankit diff ours.json theirs.hex --text"],
  curve: true,
  exits: [1, 4, 5],
  run: async (ctx, [a, b, ...more], o) => {
    if (a === undefined || b === undefined || more.length > 0) throw new LnError("usage-argument", "name two of them: chankit diff A B", {});
    if (a === "-" && b === "-") throw new LnError("usage-stdin-twice", "only one of the two can come from standard input", {});
    const [left, right] = [await readSubject(ctx, a), await readSubject(ctx, b)];
    const document = compared(left, right, { a, b }, o);
    return { document, rendered: (style) => listing(document, style), fileName: "diff.json", verdict: document["equal"] === true ? "yes" : "no" };
  },
});

/** Throws: file-…, input-…, json-…, tx-not-parsed, state-not-funded. */
async function readSubject(ctx: Context, path: string): Promise<Subject> {
  const folders = path === "-" ? [] : foldersAt(ctx, path);
  const [folder] = folders;
  if (folders.length > 1) throw new LnError("usage-party", `${path} holds ${folders.length} parties: name one of them`, { folders: folders.length });
  if (folder !== undefined) return stateIn(ctx.store.load(partyPaths(folder), "look").document, partyPaths(folder).channel);
  const content = readInput(ctx, path).trim();
  const psbt = psbtWithin(content, path);
  if (psbt !== null) {
    const { transactionOfPsbt } = await import("../json/psbt-wallet.js");
    return { kind: "transaction", tx: (await transactionOfPsbt(psbt)).tx };
  }
  const document = content.startsWith("{") ? parseStrict(content, path) : null;
  const isChannel = typeof document === "object" && document !== null && "format" in document && document.format === "chankit-channel";
  return isChannel ? stateIn(document, path) : { kind: "transaction", tx: transactionIn(content, path) };
}

/** The party's folder that a path names; none where it names a file. Throws: file-folder-missing, usage-party. */
function foldersAt(ctx: Context, path: string): readonly string[] {
  try {
    const folders = ctx.store.partyFolders(path.replace(/(?<=.)\/+$/, ""));
    if (folders.length > 0) return folders;
  } catch (error) {
    if (error instanceof LnError && error.code === "file-not-folder") return [];
    throw error;
  }
  throw new LnError("usage-party", `${path} holds no channel.json`, { folder: path });
}

function stateIn(document: unknown, path: string): Subject {
  return { kind: "state", state: requireFunded(readChannel(document, path)) };
}

interface Names {
  readonly a: string;
  readonly b: string;
}

type Options = Parameters<typeof pairsOf>[3];

/** Throws: usage-argument, state-…. */
function compared(a: Subject, b: Subject, names: Names, o: Options): Document {
  const head = { format: "chankit-diff", version: 1 };
  if (a.kind === "state" && b.kind === "state") return { ...head, ...statesDocument(a.state, b.state, names, o) };
  if (o.owner !== undefined || o.number !== undefined)
    throw new LnError("usage-argument", "--owner and --number choose commitments of two states", {});
  if (a.kind === "state" && b.kind === "transaction") return { ...head, ...heldDocument(a.state, b.tx, names, true) };
  if (a.kind === "transaction" && b.kind === "state") return { ...head, ...heldDocument(b.state, a.tx, names, false) };
  return { ...head, ...(a.kind === "transaction" && b.kind === "transaction" ? transactionsDocument(a.tx, b.tx, names) : {}) };
}

function transactionsDocument(a: Tx, b: Tx, names: Names): Document {
  const { kinds, fields, untold } = transactionsApart(a, b);
  return {
    kind: "transactions",
    equal: fields.length === 0,
    a: { name: names.a, txid: a.getId(), what: kinds.a },
    b: { name: names.b, txid: b.getId(), what: kinds.b },
    transaction: fields,
    not_told: untold,
  };
}

function statesDocument(a: FundedChannel, b: FundedChannel, names: Names, o: Options): Document {
  const stand = standOf(a, b);
  const { pairs, unpaired } = pairsOf(a, b, stand, o);
  const fields = fieldsBetween(a, b, stand);
  const same = pairs.every(({ explained }) => explained.verdict === "same" && explained.facts.length === 0);
  return {
    kind: stand,
    equal: same && unpaired.length === 0 && fields.length === 0,
    a: { name: names.a, party: a.party },
    b: { name: names.b, party: b.party },
    commitments: pairs.map(pairDocument),
    unpaired: unpaired.map(({ owner, number, only }: Unpaired) => ({ owner, commitment_number: number, only })),
    fields,
  };
}

function pairDocument({ owner, standing, explained }: Pair): Document {
  const { a, b, facts, sets, verdict } = explained;
  const side = (commitment: typeof a, stands: string) => ({
    commitment_number: commitment.number,
    standing: stands,
    txid: displayTxid(commitment.txid),
  });
  return {
    owner,
    a: side(a, standing.a),
    b: side(b, standing.b),
    verdict,
    differences: facts.map(({ field, a: ours, b: theirs, words, alone }) => ({
      field,
      a: ours,
      b: theirs,
      ...(words === null ? {} : { words }),
      alone,
    })),
    explanations: verdict === "same" ? [] : sets.map((set) => set.map(({ field }) => field)),
    transaction: compareCommitment(a, b.unsigned).map(({ field, ours, theirs }) => ({ field, a: ours, b: theirs })),
  };
}

/** A state and a transaction: the commitment of the state's that is nearest to it. Throws: state-no-commitment. */
function heldDocument(state: FundedChannel, tx: Tx, names: Names, stateFirst: boolean): Document {
  const [nearest] = SIDES.flatMap((owner) =>
    heldCommitments(state, owner).map((held) => ({ owner, held, fields: compareCommitment(held.commitment, tx) })),
  ).sort((one, other) => one.fields.length - other.fields.length);
  if (nearest === undefined) throw new LnError("state-no-commitment", "the state holds no commitment yet", {});
  const { owner, held, fields } = nearest;
  const number = held.commitment.number;
  const ofState = {
    name: stateFirst ? names.a : names.b,
    party: state.party,
    owner,
    commitment_number: number,
    standing: held.standing,
    txid: displayTxid(held.commitment.txid),
  };
  const ofTx = { name: stateFirst ? names.b : names.a, txid: tx.getId() };
  return {
    kind: "state-and-transaction",
    equal: fields.length === 0,
    a: stateFirst ? ofState : ofTx,
    b: stateFirst ? ofTx : ofState,
    transaction: fields.map(({ field, ours, theirs }) => ({ field, a: stateFirst ? ours : theirs, b: stateFirst ? theirs : ours })),
    not_told:
      fields.length === 0 ? [] : [`which field of the state explains this: chankit diagnose PARTY --owner ${owner} --tx FILE searches for it`],
  };
}
