import { addressOfScript } from "../../json/address.js";
import { displayTxid, scriptPubkey, toHex, txid } from "../../protocol/bytes.js";
import { identify } from "../../protocol/channel/identify.js";
import { type FundedChannel, isFunded } from "../../protocol/channel/state.js";
import { SIDES } from "../../protocol/side.js";
import type { Stand } from "../../audit/replay.js";
import type { JsonObject } from "../../store/state.js";
import { type Call, type Impression, type Press, signaturesOf, transactionOf } from "./press.js";
import { isObject } from "./printed.js";
import { attempt } from "./steps.js";
import { heldCommitments } from "../../protocol/channel/select.js";

type Transaction = NonNullable<ReturnType<typeof transactionOf>>;

/** A moment in which a channel has its funding. */
export interface FundedStand extends Stand {
  readonly state: FundedChannel;
}

/** Every transaction of a run that another may spend, by its id: the commitments of the replay, and what the documents themselves hold. */
export type Transactions = ReadonlyMap<string, Transaction>;

/** What must be reached, whatever a block's height: the transaction's own locktime says when it is due. */
const AT_LAST = "499999999";

const PUBLISHED = "/published.hex";

export function isFundedStand(stand: Stand): stand is FundedStand {
  return isFunded(stand.state);
}

/** The commitments that the parties could have published, and the transactions in documents. */
export function transactionsIn(stands: readonly FundedStand[], documents: readonly JsonObject[]): Transactions {
  const found = new Map<string, Transaction>();
  for (const { state } of distinct(stands, ({ party, state: { fundings } }) => {
    const [{ local, remote }] = fundings;
    return [party, local.current?.number, local.previous?.number, remote.current?.number, remote.next?.number].join();
  })) {
    for (const owner of SIDES) {
      for (const { commitment } of attempt(() => heldCommitments(state, owner))) found.set(displayTxid(commitment.txid), commitment.unsigned);
    }
  }
  for (const document of documents) {
    for (const hex of hexesIn(document)) {
      const tx = transactionOf(hex);
      if (tx !== null && !found.has(tx.getId())) found.set(tx.getId(), tx);
    }
  }
  return found;
}

/** The transactions that a document holds: its own, those of HTLCs beside it, those of a penalty an output. */
export function hexesIn(document: JsonObject): readonly string[] {
  const nested = ["htlc_txs", "transactions", "others"].flatMap((name) => {
    const list = document[name];
    return Array.isArray(list) ? list.filter(isObject) : [];
  });
  return [document, ...nested].flatMap(({ tx }) => (typeof tx === "string" ? [tx] : []));
}

/** The signer's options of a document: a PSBT was asked for, or the transaction signed. */
function signing(document: JsonObject): Call["flags"] {
  return "psbt" in document ? { psbt: true } : {};
}

/** What `force-close` printed, signed by a key or by a signer elsewhere, whose HTLC transactions come by themselves. */
export async function* forceCloses(press: Press, stands: readonly FundedStand[], document: JsonObject): AsyncGenerator<Impression> {
  const current = ({ state }: FundedStand) => state.fundings[0].local.current;
  const moments = distinct(stands, (stand) => [stand.party, current(stand)?.number, stand.state.knownPreimages.length].join());
  const signatures = signaturesOf(hexesIn(document));
  const dry = document["dry_run"] === true ? { dryRun: true as const } : {};
  for (const stand of first(moments, (one) => current(one)?.number === document["commitment_number"])) {
    const { state } = stand;
    const open: FundedStand = { ...stand, state: { ...state, flags: { ...state.flags, forceClosed: null } } };
    const printed = await press.print(open, { command: "force-close", flags: { ...signing(document), ...dry }, signatures });
    if (printed === null) continue;
    yield printed;
    const { htlc_txs: htlcTxs } = printed.document;
    if (!Array.isArray(htlcTxs) || htlcTxs.length === 0) continue;
    const unsigned = htlcTxs.filter(isObject).map((one) => ("needs" in one ? one : { ...without(one, "weight"), tx: null }));
    yield { ...printed, document: { ...printed.document, htlc_txs: unsigned } };
  }
}

function without(document: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([key]) => key !== name));
}

/** What `htlc-tx` printed. The commitment was signed for broadcast before, which no message shows. */
export async function* htlcTxs(press: Press, stands: readonly FundedStand[], document: JsonObject): AsyncGenerator<Impression> {
  const tx = transactionOf(document["tx"]);
  const indexes = [...new Set([document["output_index"], tx?.ins[0]?.index])].filter((index) => typeof index === "number");
  const preimages = preimagesIn(tx);
  const moments = distinct(stands, ({ party, state }) => [party, state.fundings[0].local.current?.number].join());
  for (const { state, ...stand } of moments) {
    const { current } = state.fundings[0].local;
    if (current === null) continue;
    const closed: FundedStand = { ...stand, state: { ...state, flags: { ...state.flags, forceClosed: current.number } } };
    for (const index of indexes) {
      const call = { command: "htlc-tx", signatures: signaturesOf(hexesIn(document)) };
      const flags = { ...signing(document), outputIndex: String(index) };
      // As an HTLC that timed out, with a preimage, with one that the channel knows
      for (const [name, value] of [["height", AT_LAST] as const, ...preimages.map((preimage) => ["preimage", preimage] as const)]) {
        const files = name === "preimage" ? { "/preimage.hex": value } : {};
        const printed = await press.print(closed, { ...call, flags: { ...flags, [name]: name === "preimage" ? "/preimage.hex" : value }, files });
        if (printed !== null) yield printed;
      }
    }
  }
}

/** What `penalty-tx` printed: one transaction for all, one an output, or a part of the latter. */
export async function* penalties(
  press: Press,
  stands: readonly FundedStand[],
  document: JsonObject,
  known: Transactions,
): AsyncGenerator<Impression> {
  const own = hexesIn(document).flatMap((hex) => transactionOf(hex) ?? []);
  const inputs = own.flatMap(spentBy);
  const { punishes } = document;
  const named = [isObject(punishes) ? punishes["txid"] : null, ...idsIn(document["takes"]), ...inputs];
  const published = chosen(named, known);
  const separately = Array.isArray(document["transactions"]) || !("leaves" in document);
  for (const stand of newest(stands)) {
    const targets = await addressesIn(document, own, stand);
    for (const [id, tx] of published) {
      const identity = identify(stand.state, tx, () => []);
      if (identity.kind !== "revoked") continue;
      press.revoked(stand, identity.secret);
      const second = spendersOf(id, published);
      const files = { [PUBLISHED]: tx.toHex(), ...second.files };
      const flags = {
        ...signing(document),
        ...(separately ? { separate: true as const } : {}),
        ...(second.names === "" ? {} : { secondStage: second.names }),
        tx: PUBLISHED,
      };
      for (const to of targets) {
        const print = (feerate: string) =>
          press.print(stand, { command: "penalty-tx", flags: { ...flags, to, feerate }, files, signatures: signaturesOf(hexesIn(document)) });
        for await (const printed of atFeerates(document, own, print)) {
          if ("takes" in document && separately) yield* printed.parts.map((part) => ({ ...printed, document: part }));
          else yield printed;
        }
      }
    }
  }
}

/** What `sweep` printed. What was left out, and the block that confirmed the commitment, are read off it: no file tells them. */
export async function* sweeps(press: Press, stands: readonly FundedStand[], document: JsonObject, known: Transactions): AsyncGenerator<Impression> {
  const own = hexesIn(document).flatMap((hex) => transactionOf(hex) ?? []);
  const unsigned = transactionOf(document["unsigned_tx"]);
  const txs = unsigned === null ? own : [unsigned];
  const listed = Array.isArray(document["outputs"]) ? document["outputs"].filter(isObject) : [];
  const published = chosen([...idsIn(listed), ...txs.flatMap(spentBy)], known);
  const outpoints = (ones: readonly JsonObject[]) => ones.map(({ txid: id, output_index: index }) => `${String(id)}:${String(index)}`);
  const spent = new Set(txs.flatMap(({ ins }) => ins.map(({ hash, index }) => `${displayTxid(txid(hash))}:${index}`)));
  const left = [outpoints(listed).filter((one) => !spent.has(one)), outpoints(listed.filter(({ taken }) => taken !== true))];
  const confirmed = listed.flatMap(({ spendable_from: from, after_blocks: after }) =>
    typeof from === "number" && typeof after === "number" && after > 0 && from > after ? [String(from - after)] : [],
  );
  const anchors = listed.some(({ kind, taken }) => taken === true && String(kind).startsWith("anchor"));
  const preimages = txs.flatMap(preimagesIn);
  const moments = distinct([...stands].reverse(), ({ party, state: { fundings, knownPreimages } }) => {
    const [{ local, remote }] = fundings;
    const numbers = [local.current, local.previous, remote.current, remote.next].map((commit) => commit?.number);
    return [party, ...numbers, knownPreimages.length].join();
  });
  for (const [id, tx] of published) {
    const second = spendersOf(id, published);
    for (const stand of moments) {
      for (const to of await addressesIn(document, txs, stand)) {
        for (const except of uniqueLists(left)) {
          for (const block of [...new Set([...confirmed, undefined])]) {
            const flags = {
              ...signing(document),
              tx: PUBLISHED,
              to,
              ...(except.length === 0 ? {} : { except: except.join() }),
              ...(block === undefined ? {} : { confirmed: block }),
              ...(anchors ? { anchors: true as const } : {}),
              ...(anchors && block !== undefined ? { height: AT_LAST } : {}),
              ...(preimages.length === 0 ? {} : { preimage: "/preimage.hex" }),
              ...(second.names === "" ? {} : { htlcTxs: second.names }),
            };
            const files = {
              [PUBLISHED]: tx.toHex(),
              ...second.files,
              ...(preimages[0] === undefined ? {} : { "/preimage.hex": preimages[0] }),
            };
            yield* atFeerates(document, txs, (feerate) =>
              press.print(stand, { command: "sweep", flags: { ...flags, feerate }, files, signatures: signaturesOf(hexesIn(document)) }),
            );
          }
        }
      }
    }
  }
}

/** What `close --tx` printed, or `close --psbt` of what is to be signed for the next message; its fee and locktime are read off it. */
export async function* closes(press: Press, stands: readonly FundedStand[], document: JsonObject): AsyncGenerator<Impression> {
  const toSign = Array.isArray(document["transactions"]) ? document["transactions"].filter(isObject) : null;
  const locktimes = new Set([document["locktime"], ...(toSign ?? []).map(({ unsigned_tx: hex }) => transactionOf(hex)?.locktime)]);
  for (const stand of stands.filter(({ state: { shutdownScripts } }) => SIDES.every((side) => shutdownScripts[side] !== null))) {
    for (const wish of toSign === null ? [{ tx: true as const }] : closingWishes(stand, toSign, locktimes)) {
      const printed = await press.print(stand, { command: "close", flags: wish, signatures: [] });
      if (printed?.document["format"] === "chankit-close") yield printed;
    }
  }
}

/** What may have been asked for: an answer to the peer's offer, or an own one with a fee. */
function closingWishes({ state }: FundedStand, toSign: readonly JsonObject[], locktimes: ReadonlySet<unknown>): readonly Call["flags"][] {
  const [{ amount }] = state.fundings;
  const fees = toSign.flatMap(({ fee_sat: fee, unsigned_tx: hex }) => {
    const tx = transactionOf(hex);
    return [fee, tx === null ? null : Number(amount - tx.outs.reduce((sum, { value }) => sum + value, 0n))];
  });
  const offers = [...new Set(fees)].flatMap((fee) => (typeof fee === "number" && fee >= 0 ? [{ fee: `${fee}sat` }] : []));
  const times = [...locktimes].flatMap((locktime) => (typeof locktime === "number" && locktime > 0 ? [{ locktime: String(locktime) }] : []));
  return [{}, ...offers].flatMap((offer) => [{}, ...times].map((time) => ({ psbt: true as const, ...offer, ...time })));
}

/** At the feerate that a document tells, and at those that its fee and its transaction come to: one of them may be wrong. */
async function* atFeerates(
  document: JsonObject,
  transactions: readonly Transaction[],
  print: (feerate: string) => Promise<Impression | null>,
): AsyncGenerator<Impression> {
  const { fee_sat: fee, fee_weight: weight, feerate_per_kw: told } = document;
  const rates = new Set([told, reached(fee, weight)].flatMap((rate) => (typeof rate === "number" && rate >= 0 ? [String(rate)] : [])));
  for (const rate of rates) {
    const printed = await print(rate);
    if (printed === null) continue;
    yield printed;
    const { amount_sat: paid, fee_sat: due, fee_weight: weighs } = printed.document;
    const [tx] = transactions;
    if (tx === undefined || transactions.length > 1 || typeof paid !== "number" || typeof due !== "number") continue;
    const real = reached(paid + due - tx.outs.reduce((sum, { value }) => sum + Number(value), 0), weighs);
    if (real === null || rates.has(String(real))) continue;
    rates.add(String(real));
  }
}

/** The feerate that a fee comes to. */
function reached(fee: unknown, weight: unknown): number | null {
  return typeof fee === "number" && typeof weight === "number" && weight > 0 && fee >= 0 ? Math.floor((fee * 1000) / weight) : null;
}

/** Where a document says that the money goes, and where its transaction pays it. */
async function addressesIn({ to }: JsonObject, transactions: readonly Transaction[], { state }: FundedStand): Promise<readonly string[]> {
  const paid = await Promise.all(
    transactions
      .slice(0, 1)
      .flatMap(({ outs }) => outs.slice(0, 1).map(({ script }) => addressOfScript(scriptPubkey(script), state.chain).catch(() => null))),
  );
  return [...new Set([to, ...paid])].filter((address) => typeof address === "string");
}

function spentBy({ ins }: Transaction): readonly string[] {
  return ins.map(({ hash }) => displayTxid(txid(hash)));
}

function idsIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list.filter(isObject).map((one) => one["txid"]) : [];
}

/** The known ones of these, each once. */
function chosen(ids: readonly unknown[], known: Transactions): readonly (readonly [string, Transaction])[] {
  return [...new Set(ids)].flatMap((id) => {
    const tx = typeof id === "string" ? known.get(id) : undefined;
    return typeof id === "string" && tx !== undefined ? [[id, tx] as const] : [];
  });
}

/** Of these the transactions that spend the outputs of one, as files and as an option names them. */
function spendersOf(id: string, published: readonly (readonly [string, Transaction])[]) {
  const spenders = published.flatMap(([, tx]) => (spentBy(tx).includes(id) ? [tx] : []));
  const files = Object.fromEntries(spenders.map((tx, at) => [`/second-${at}.hex`, tx.toHex()]));
  return { files, names: Object.keys(files).join() };
}

/** What may be a preimage in a transaction's witnesses. */
function preimagesIn(tx: Transaction | null): readonly string[] {
  return (tx?.ins ?? []).flatMap(({ witness }) => witness.filter((element) => element.length === 32).map((element) => toHex(element)));
}

function newest(stands: readonly FundedStand[]): readonly FundedStand[] {
  return [...new Map(stands.map((stand) => [stand.party, stand])).values()];
}

/** The first of each key, in their order. */
function distinct<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const found = new Map<string, T>();
  for (const one of all) if (!found.has(keyOf(one))) found.set(keyOf(one), one);
  return [...found.values()];
}

/** Those that are likely first, so that the others are seldom asked for. */
export function first<T>(all: readonly T[], likely: (one: T) => boolean): readonly T[] {
  return [...all.filter(likely), ...all.filter((one) => !likely(one))];
}

function uniqueLists(lists: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(lists.map((list) => [list.join(), list])).values()];
}
