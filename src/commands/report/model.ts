import { displayTxid, toHex } from "../../protocol/bytes.js";
import { type HeldCommitment, heldCommitments } from "../../protocol/channel/select.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import { type SpendPath, knownLock, spendPaths } from "../../protocol/script/known-script.js";
import { grouped } from "../../protocol/explain/reading.js";
import { SIDES, type Side, opposite } from "../../protocol/side.js";
import { type CommitmentOutput, isHtlcOutput } from "../../protocol/tx/outputs.js";
import type { CommitmentSpec, Htlc } from "../../protocol/tx/spec.js";
import { changesOf, fundingOutpoint, nextSteps } from "../shared/summary.js";
import type { Turn } from "./sequence.js";

/** Who can take an output first: what gives it its colour. The opener and the accepter have the same one in all pictures. */
export type Taker = "opener" | "accepter" | "either" | "fee";

/** One output in a picture. */
export interface PictureOutput {
  readonly name: string;
  readonly sat: bigint;
  readonly taker: Taker;
  /** Whether they wait for it longer than the block that is asked of all. */
  readonly delayed: boolean;
  /** Each way to spend it, in a few words. */
  readonly ways: readonly string[];
}

/** A commitment to be drawn. */
export interface Picture {
  readonly title: string;
  readonly txid: string;
  readonly fundingSat: bigint;
  readonly outputs: readonly PictureOutput[];
  readonly feeSat: bigint;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface Row {
  readonly cells: readonly string[];
}

/** A table with its caption; the first cell of a row is its heading, the last one of a short row goes on to the end. */
export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

/** All that a report shows: no secret among it, for it is made of what is public between the two. */
export interface ReportModel {
  readonly title: string;
  /** The opener's name first. */
  readonly parties: readonly [string, string];
  readonly channel: Table;
  readonly pictures: readonly Picture[];
  readonly balances: Table;
  readonly htlcs: Table;
  readonly changes: Table;
  readonly turns: readonly Turn[];
  readonly explore: readonly Table[];
}

/** The two sides of a channel by their names. */
export type SideNames = Readonly<Record<Side, string>>;

export interface PartyView {
  readonly state: FundedChannel;
  readonly names: SideNames;
}

/** The tables and pictures of a channel, seen by one party or by both. */
export function channelModel(views: readonly [PartyView, ...PartyView[]]): Omit<ReportModel, "turns" | "explore"> {
  const [{ state, names }] = views;
  const { opener } = state;
  // Each commitment once: the owner's own file knows most of it
  const shown = views.length > 1 ? views.flatMap((view) => heldOf(view, ["local"])) : heldOf(views[0], SIDES);
  return {
    title: `The channel of ${names[opener]} and ${names[opposite(opener)]}`,
    parties: [names[opener], names[opposite(opener)]],
    channel: factsTable(state, names),
    pictures: shown.map(pictureOf),
    balances: balancesTable(shown),
    htlcs: htlcsTable(shown),
    changes: changesTable(views),
  };
}

interface Shown extends HeldCommitment {
  readonly owner: Side;
  readonly opener: Side;
  readonly names: SideNames;
}

function heldOf({ state, names }: PartyView, owners: readonly Side[]): readonly Shown[] {
  return owners.flatMap((owner) => heldCommitments(state, owner).map((held) => ({ ...held, owner, opener: state.opener, names })));
}

const sats = (amount: bigint): string => `${grouped(amount)} sat`;
const msats = (amount: bigint): string => (amount % 1000n === 0n ? sats(amount / 1000n) : `${grouped(amount)} msat`);

function factsTable(state: FundedChannel, names: SideNames): Table {
  const { params, opener } = state;
  const perSide = (name: string, value: (side: Side) => string): Row => ({ cells: [name, value("local"), value("remote")] });
  const both = (name: string, value: string): Row => ({ cells: [name, value] });
  return {
    caption: "What was agreed on",
    head: ["", names.local, names.remote],
    rows: [
      perSide("role", (side) => (side === opener ? "opened the channel, pays the commitments' fees" : "accepted it")),
      both("channel id", toHex(state.channelId)),
      both("funding output", `${fundingOutpoint(state)}, ${sats(state.fundings[0].amount)}`),
      both("kind", `${state.channelType} on ${state.chain}${state.purpose === "vector" ? ", a test case: its transactions are for no chain" : ""}`),
      perSide("dust limit", (side) => sats(params[side].dustLimitSatoshis)),
      perSide("reserve", (side) => sats(params[opposite(side)].channelReserveSatoshis)),
      perSide("waits for its own money", (side) => `${params[opposite(side)].toSelfDelay} blocks`),
      { cells: [`next, as ${state.party} sees it`, nextSteps(state).join("; ")] },
    ],
  };
}

const STANDINGS: Readonly<Record<HeldCommitment["standing"], string>> = {
  next: "not signed yet",
  current: "the newest that holds",
  pending: "signed, the one before not revoked yet",
  previous: "replaced, not revoked yet",
  preview: "what it will be",
};

const titleOf = ({ owner, names, commitment, standing }: Shown): string =>
  `${names[owner]}'s commitment ${commitment.number}: ${STANDINGS[standing]}`;

function pictureOf(shown: Shown): Picture {
  const { commitment } = shown;
  const { terms, outputs, actualFee, txid, spec, trimmedHtlcs, number } = commitment;
  return {
    title: titleOf(shown),
    txid: displayTxid(txid),
    fundingSat: terms.funding.amount,
    outputs: outputs.map((output) => pictureOutput(output, shown)),
    feeSat: actualFee,
    facts: [
      ["commitment number", String(number)],
      ["feerate", `${grouped(spec.feeratePerKw)} sat/kw`],
      ["fee", sats(actualFee)],
      ["trimmed HTLCs", trimmedHtlcs.length === 0 ? "none" : trimmedHtlcs.map(({ id, amountMsat }) => `${id} of ${msats(amountMsat)}`).join(", ")],
      ["txid", displayTxid(txid)],
    ],
  };
}

function pictureOutput(output: CommitmentOutput, { names, owner, opener }: Shown): PictureOutput {
  const known = knownLock(output.lock);
  const paths = known === null ? [] : spendPaths(known);
  const ways = known === null ? ["whoever its script says"] : paths.map((path) => wayWords(path, output, names, owner));
  return { name: output.kind, sat: output.amount, taker: takerOf(output.kind, owner === opener), delayed: (paths[0]?.csv ?? 0) > 1, ways };
}

function takerOf(kind: CommitmentOutput["kind"], ownerOpened: boolean): Taker {
  switch (kind) {
    case "to_local":
    case "to_local_anchor":
      return ownerOpened ? "opener" : "accepter";
    case "to_remote":
    case "to_remote_anchor":
      return ownerOpened ? "accepter" : "opener";
    case "offered_htlc":
    case "received_htlc":
    case "shared_anchor":
      return "either";
  }
}

function wayWords({ name, by, csv, cltv }: SpendPath, output: CommitmentOutput, names: SideNames, owner: Side): string {
  const keyHolder = output.kind === "to_local_anchor" ? owner : opposite(owner);
  const who = by === "anyone" ? "anyone" : names[by === "owner" ? owner : by === "countersigner" ? opposite(owner) : keyHolder];
  const expiry = cltv === "unseen" ? (isHtlcOutput(output) ? output.htlc.cltvExpiry : null) : cltv;
  const waits = [
    ...(expiry === null ? [] : [`from block ${grouped(expiry)}`]),
    ...(csv === null || csv === 0 ? [] : [`after ${grouped(csv)} ${csv === 1 ? "block" : "blocks"}`]),
  ].join(", ");
  const with_ = name === "preimage" || name === "htlc_success" ? " with the preimage" : name === "revocation" ? " if it is revoked" : "";
  return `${who}${with_}${waits === "" ? ", at once" : `, ${waits}`}`;
}

function balancesTable(shown: readonly Shown[]): Table {
  const [{ names }] = shown.length > 0 ? (shown as readonly [Shown, ...Shown[]]) : [{ names: { local: "local", remote: "remote" } }];
  const first = [names.local, names.remote];
  return {
    caption: "Balances before fee and anchors, and what is in flight",
    head: ["commitment", ...first, "in HTLCs", "feerate", "fee"],
    rows: shown.map(({ commitment, names: own, owner }) => {
      const { spec, number, actualFee } = commitment;
      const balanceOf = (name: string | undefined): string => msats(spec.balances[own.local === name ? "local" : "remote"]);
      return {
        cells: [`${own[owner]} ${number}`, ...first.map(balanceOf), msats(inFlight(spec)), `${grouped(spec.feeratePerKw)} sat/kw`, sats(actualFee)],
      };
    }),
  };
}

const inFlight = (spec: CommitmentSpec): bigint => spec.htlcs.reduce<bigint>((sum, { amountMsat }) => sum + amountMsat, 0n);

function htlcsTable(shown: readonly Shown[]): Table {
  const all = new Map<string, { readonly htlc: Htlc; readonly by: string; readonly to: string; readonly at: string[] }>();
  for (const { commitment, names, owner } of shown) {
    for (const htlc of commitment.spec.htlcs) {
      const by = names[htlc.offeredBy];
      const key = `${by} ${htlc.id}`;
      const entry = all.get(key) ?? { htlc, by, to: names[opposite(htlc.offeredBy)], at: [] };
      const index = commitment.outputs.findIndex(
        (output) => isHtlcOutput(output) && output.htlc.id === htlc.id && output.htlc.offeredBy === htlc.offeredBy,
      );
      entry.at.push(`${names[owner]} ${commitment.number}: ${index === -1 ? "trimmed" : `output ${index}`}`);
      all.set(key, entry);
    }
  }
  return {
    caption: "HTLCs in the commitments",
    head: ["HTLC", "from", "to", "amount", "expires at block", "payment hash", "stands in"],
    rows: [...all.values()].map(({ htlc, by, to, at }) => ({
      cells: [String(htlc.id), by, to, msats(htlc.amountMsat), grouped(htlc.cltvExpiry), toHex(htlc.paymentHash), at.join("; ")],
    })),
  };
}

function changesTable(views: readonly PartyView[]): Table {
  const rows = views.flatMap(({ state, names }) =>
    changesOf(state).map((change): Row => {
      const { by, kind, stage, meaning, id } = change as Readonly<Record<string, string>> & { readonly by: Side };
      return { cells: [state.party, names[by], `${kind ?? ""}${id === undefined ? "" : ` ${id}`}`, stage ?? "", meaning ?? ""] };
    }),
  );
  return { caption: "Changes on their way", head: ["seen by", "proposed by", "change", "stage", "meaning"], rows };
}
