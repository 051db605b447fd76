import { scriptOfAddress } from "../../json/address.js";
import { toHex, txid } from "../../protocol/bytes.js";
import { type Identity, identify, transactionFromHex } from "../../protocol/channel/identify.js";
import type { Chain } from "../../protocol/channel/params.js";
import { type FundedChannel, requireFunded } from "../../protocol/channel/state.js";
import { type Answer, answersTo, isHtlcTxOf, outpointName } from "../../protocol/channel/transitions/answer.js";
import { viewTransaction } from "../../protocol/channel/view.js";
import { LnError } from "../../protocol/errors.js";
import type { PartyKeys } from "../../protocol/keys/party-keys.js";
import { scanTransaction, txidIndex } from "../../protocol/tx/scan.js";
import type { FeeratePerKw } from "../../protocol/units.js";
import { partyPaths } from "../../store/paths.js";
import type { Document } from "../shared/command.js";
import type { Context } from "../shared/context.js";
import { loadKeys, loadParty } from "../shared/party.js";
import { revokedHtlcsOf } from "../shared/revoked.js";
import { amount } from "../shared/summary.js";
import { answerDocument, commitmentWords, dueOf, errorDocument } from "./events.js";
import { type Follow, type Tip, type Tx, type WatchState, answeredBy, followed, idOf, outpointsOf } from "./follow.js";
import { type FundingOutpoint, fundingIn } from "./funding.js";
import type { Block, Happening } from "./input.js";

/** What is watched under a txid: a funding output of that transaction, or what becomes of one that was seen. */
type Watched =
  { readonly kind: "funding"; readonly party: string; readonly outputIndex: number } | { readonly kind: "follow"; readonly follow: Follow };

export interface WatchOptions {
  readonly to: string;
  readonly feerate: FeeratePerKw;
  readonly strict: boolean | undefined;
  /** Where answers are written, with its slash; undefined for nowhere. */
  readonly folder: string | undefined;
}

export interface Watcher {
  /** Watches a party's funding output; false where it has none yet. Throws: file-…, json-…, policy-vector-channel. */
  add(party: string): boolean;
  take(happening: Happening): Promise<void>;
  /** The chains of the parties that are watched. */
  chains(): readonly Chain[];
  state(): WatchState;
  /** Whether something was seen or answered since this was asked last. */
  changed(): boolean;
  counts(): Document;
}

interface Opened {
  readonly state: FundedChannel;
  readonly keys: PartyKeys;
  readonly identity: Identity;
}

/** Holds a funding outpoint for each party; whatever else it needs it reads when something spends one. `say` takes the events in order. */
export function watcherFor(ctx: Context, options: WatchOptions, before: WatchState, say: (event: Document) => void): Watcher {
  const index = txidIndex<Watched>();
  const follows = new Set<Follow>();
  const chains = new Set<Chain>();
  let tip: Tip | null = before.tip;
  let [transactions, blocks, commitments, answers, refusals, dirty] = [0, 0, 0, 0, 0, false];

  const follow = (one: Follow): void => {
    follows.add(one);
    index.add(idOf(one.tx), { kind: "follow", follow: one });
  };
  for (const one of before.follows) {
    follow(one);
    for (const { tx } of one.spends) index.add(idOf(tx), { kind: "follow", follow: one });
  }

  /** What a transaction touches; it is parsed only where that is something. */
  const scan = (bytes: Uint8Array, confirmed: number | null, touched: Set<Follow>): void => {
    transactions += 1;
    let hits: Watched[] | undefined;
    scanTransaction(bytes, 0, (at) => {
      const found = index.at(bytes, at);
      if (found.length === 0) return;
      const outputIndex = new DataView(bytes.buffer, bytes.byteOffset + at + 32, 4).getUint32(0, true);
      for (const one of found) if (one.kind === "follow" || one.outputIndex === outputIndex) (hits ??= []).push(one);
    });
    if (hits === undefined) return;
    dirty = true;
    const tx = transactionFromHex(toHex(bytes));
    const parties = new Set(hits.flatMap((hit) => (hit.kind === "funding" ? [hit.party] : [])));
    const spent = new Set(hits.flatMap((hit) => (hit.kind === "follow" ? [hit.follow] : [])));
    for (const party of parties) touched.add(published(party, tx, confirmed));
    for (const one of spent) if (spend(one, tx, confirmed)) touched.add(one);
  };

  const published = (party: string, tx: Tx, confirmed: number | null): Follow => {
    const id = tx.getId();
    const known = [...follows].find((one) => one.party === party && one.tx.getId() === id);
    if (known !== undefined) {
      if (confirmed !== null && known.confirmed !== confirmed) {
        known.confirmed = confirmed;
        say({ event: "confirmed", party, txid: id, height: confirmed });
      }
      return known;
    }
    commitments += 1;
    const one = followed(party, tx, confirmed);
    follow(one);
    try {
      const { state } = look(party);
      const { relation } = viewTransaction(state, tx, revokedHtlcsOf(ctx, partyPaths(party), state));
      say({ event: "commitment", party, txid: id, height: confirmed, ...commitmentWords(relation, state) });
    } catch (error) {
      refuse(one, error);
    }
    return one;
  };

  /** Takes in what spends a commitment's outputs; false where that was known. */
  const spend = (one: Follow, tx: Tx, confirmed: number | null): boolean => {
    const id = tx.getId();
    const known = one.spends.find((seen) => seen.tx.getId() === id);
    if (known?.confirmed === confirmed || (known !== undefined && confirmed === null)) return false;
    if (known === undefined) one.spends.push({ tx, confirmed });
    else known.confirmed = confirmed;
    const answer = one.answers.some((given) => given.txid === id);
    const htlcTx = isHtlcTx(one, tx);
    if (htlcTx && known === undefined) index.add(idOf(tx), { kind: "follow", follow: one });
    say({
      event: "spend",
      party: one.party,
      commitment_txid: one.tx.getId(),
      txid: id,
      height: confirmed,
      by: answer ? "answer" : htlcTx ? "htlc_tx" : "other",
      outputs: outpointsOf(tx),
    });
    return true;
  };

  const isHtlcTx = (one: Follow, tx: Tx): boolean => {
    try {
      const { state } = look(one.party);
      return isHtlcTxOf(identify(state, one.tx, revokedHtlcsOf(ctx, partyPaths(one.party), state)), tx);
    } catch (error) {
      refuse(one, error);
      return false;
    }
  };

  const look = (party: string): { readonly state: FundedChannel } => ({
    state: requireFunded(loadParty(ctx, partyPaths(party), { dryRun: true }).state),
  });

  const open = async ({ party, tx }: Follow): Promise<Opened> => {
    const { state } = look(party);
    const paths = partyPaths(party);
    return {
      state,
      keys: await loadKeys(ctx, paths, { strict: options.strict }),
      identity: identify(state, tx, revokedHtlcsOf(ctx, paths, state)),
    };
  };

  /** Says once what keeps a party from an answer. */
  const refuse = (one: Follow, error: unknown, more: Document = {}): void => {
    if (!(error instanceof LnError) || error.code.startsWith("output-closed")) throw error;
    const key = `${error.code} ${JSON.stringify(more)}`;
    if (one.told.has(key)) return;
    one.told.add(key);
    refusals += 1;
    say({ event: "refused", party: one.party, commitment_txid: one.tx.getId(), ...more, error: errorDocument(error) });
  };

  /** Gives whatever answers a commitment asks for now. */
  const answer = async (one: Follow): Promise<void> => {
    try {
      const { state, keys, identity } = await open(one);
      const to = await scriptOfAddress(options.to, state.chain);
      const published = { tx: one.tx, confirmed: one.confirmed, identity, spends: one.spends };
      const chain = { height: tip?.height ?? null, answered: answeredBy(one) };
      const due = answersTo(state, keys, published, chain, { to, feerate: options.feerate });
      for (const given of due.answers) give(one, state, given);
      for (const { due: output, error } of due.refused) refuse(one, error, { output: outpointName(output) });
      for (const output of due.uneconomical) {
        one.leftAlone.add(outpointName(output));
        say({ event: "uneconomical", party: one.party, commitment_txid: one.tx.getId(), output: dueOf(output) });
      }
      const heights = due.waiting.flatMap(({ from }) => (from === null ? [] : [from]));
      one.next = heights.length === 0 ? null : Math.min(...heights);
      const waiting = due.waiting.map(dueOf);
      const key = `waiting ${JSON.stringify(waiting)}`;
      if (waiting.length > 0 && !one.told.has(key)) {
        one.told.add(key);
        say({ event: "waiting", party: one.party, commitment_txid: one.tx.getId(), outputs: waiting });
      }
    } catch (error) {
      refuse(one, error);
    }
  };

  const give = (one: Follow, state: FundedChannel, given: Answer): void => {
    const takes = given.takes.map(outpointName);
    const document = answerDocument(given);
    const shown = { party: one.party, commitment_txid: one.tx.getId(), ...document };
    let file: string | undefined;
    if (options.folder !== undefined) {
      file = `${options.folder}${state.party}-${one.tx.getId()}-${one.answers.length}-${given.kind}.json`;
      const content = { format: "chankit-answer", version: 1, ...shown, to: options.to, feerate_per_kw: amount(options.feerate) };
      try {
        ctx.store.makeFolder(options.folder);
        ctx.store.writeOutput(file, `${JSON.stringify({ ...content, party: state.party }, null, 2)}\n`, "keep");
      } catch (error) {
        // What was answered before stands, and is not answered differently
        if (error instanceof LnError && error.code === "output-exists") for (const name of takes) one.leftAlone.add(name);
        refuse(one, error, { file });
        return;
      }
    }
    one.answers.push({ kind: given.kind, txid: given.tx.getId(), takes });
    answers += 1;
    say({ event: "answer", ...shown, ...(file === undefined ? {} : { file }) });
  };

  const disconnect = (height: number): void => {
    say({ event: "disconnected", height });
    tip = { height: height - 1, hash: null };
    for (const one of follows) {
      for (const seen of [one, ...one.spends]) {
        if (seen.confirmed === null || seen.confirmed < height) continue;
        seen.confirmed = null;
        dirty = true;
        one.next = height;
      }
    }
  };

  const block = ({ height, hash, transactions: all }: Block, touched: Set<Follow>): void => {
    if (tip !== null && height === tip.height && hash !== null && hash === tip.hash) return;
    if (tip !== null && height <= tip.height) disconnect(height);
    if (tip !== null && height > tip.height + 1) say({ event: "gap", from: tip.height + 1, to: height - 1 });
    tip = { height, hash };
    blocks += 1;
    for (const bytes of all) scan(bytes, height, touched);
    for (const one of follows) if (one.next !== null && one.next <= height + 1) touched.add(one);
  };

  const addFunding = (party: string, { chain, txid: id, outputIndex }: FundingOutpoint): void => {
    chains.add(chain);
    index.add(txid(id), { kind: "funding", party, outputIndex });
  };

  return {
    add(party) {
      const { channel } = partyPaths(party);
      const funding = fundingIn(ctx.store.readText(channel), channel);
      if (funding !== null) addFunding(party, funding);
      return funding !== null;
    },
    async take(happening) {
      const touched = new Set<Follow>();
      switch (happening.kind) {
        case "transaction":
          for (const bytes of happening.transactions) scan(bytes, happening.height, touched);
          break;
        case "block":
          block(happening, touched);
          break;
        case "disconnected":
          if (tip === null || happening.height <= tip.height) disconnect(happening.height);
          for (const one of follows) if (one.next === happening.height) touched.add(one);
          break;
      }
      for (const one of touched) await answer(one);
      if (touched.size > 0) dirty = true;
    },
    chains: () => [...chains],
    state: () => ({ tip, follows: [...follows] }),
    changed() {
      const was = dirty;
      dirty = false;
      return was;
    },
    counts: () => ({ height: tip?.height ?? null, blocks, transactions, commitments, answers, refused: refusals }),
  };
}
