import { type Change, type ChannelState, type FundedChannel, isFunded } from "../protocol/channel/state.js";
import { equalBytes } from "../protocol/bytes.js";
import { isClear } from "../protocol/channel/clearing.js";
import { type Side, dual } from "../protocol/side.js";
import { printChannel, revokedHtlcs } from "../json/channel-file.js";
import { encode } from "../json/decode.js";
import { successor } from "../store/state.js";
import { type Finding, firstDifference } from "./finding.js";
import type { JournalStep, Shown } from "./record.js";
import { unknownPointOf } from "./stand-ins.js";
import type { Actor, View } from "./view.js";

/** What a moment's file says of the replay, and the party as it goes on from there. */
export interface AfterMoment {
  readonly view: View;
  readonly finding: Finding | null;
  /** Whether the state's hash could be made again. */
  readonly hashed: boolean;
}

/** Compares a file that shows a moment with the party in that moment. */
export function momentFinding(actor: Actor, view: View, shown: Shown): AfterMoment {
  switch (shown.kind) {
    case "state":
      return { view, finding: stateFinding(actor, view, shown), hashed: false };
    case "journal":
      return journalFinding(actor, view, shown);
  }
}

function stateFinding(actor: Actor, { state, revoked }: View, shown: Extract<Shown, { readonly kind: "state" }>): Finding | null {
  if (state === null) return null;
  const { name } = actor.record;
  const finding = (path: string, fact: string, expected: string, found: string): Finding => ({
    kind: "state",
    at: { kind: "state", party: name, file: shown.file, path },
    fact,
    expected,
    found,
    code: null,
  });
  const expected = withItsOwn(actor, state, shown.state);
  const difference = firstDifference(printChannel(expected), printChannel(shown.state));
  if (difference !== null) {
    return finding(difference.path, `${difference.path} is not what the messages lead to`, difference.expected, difference.found);
  }
  if (!isFunded(state)) return null;
  const { txid: fundingTxid } = state.fundings[0];
  const lines = revoked.map((line) => encode(revokedHtlcs, { ...line, fundingTxid }));
  const inLines = firstDifference(lines, shown.revoked, "revoked");
  return inLines === null ? null : finding(inLines.path, "the revoked file is not what the messages lead to", inLines.expected, inLines.found);
}

/**
 * The replayed state with what no message shows taken from the file: the party's limits and name, a PSBT, a point that was not announced yet, and
 * whether its own newest commitment was signed for broadcast, or a mutual close elsewhere.
 */
function withItsOwn(actor: Actor, state: ChannelState, file: ChannelState): ChannelState {
  const ownPoints = state.ownPoints.map((held) => {
    const unknown = equalBytes(held.point, unknownPointOf(actor.record.name, held.number));
    return (unknown ? file.ownPoints.find(({ number }) => number === held.number) : undefined) ?? held;
  });
  const own = { party: file.party, limits: file.limits, ownPoints };
  if (!isFunded(state) || !isFunded(file)) return { ...state, ...own };
  const mayClose = file.flags.forceClosed === null || file.flags.forceClosed === state.fundings[0].local.current?.number;
  const forceClosed = mayClose ? file.flags.forceClosed : state.flags.forceClosed;
  const closingSigned = state.flags.closingSigned || (file.flags.closingSigned && isClosing(state));
  const funded: FundedChannel = { ...state, ...own, flags: { ...state.flags, forceClosed, closingSigned } };
  return { ...funded, fundingPsbt: file.fundingPsbt, changes: dual((side) => changesIn(actor, side, funded, file)) };
}

/** Irrevocable changes stay in sight until the next proposal: how many still do, the order of telling and hearing decides, which messages leave open. */
function changesIn(actor: Actor, side: Side, state: FundedChannel, file: FundedChannel): readonly Change[] {
  const ended = ({ stage }: Change): boolean => stage === "irrevocable";
  const inFile = file.changes[side].filter(ended);
  if (!inFile.every((change) => actor.wasMade(side, change))) return state.changes[side];
  return [...inFile, ...state.changes[side].filter((change) => !ended(change))];
}

/** A step's state hash, made again where all that it covers is known. */
function journalFinding(actor: Actor, view: View, { file, line, step }: Extract<Shown, { readonly kind: "journal" }>): AfterMoment {
  const { state } = view;
  if (state === null) return { view, finding: null, hashed: false };
  const at = { kind: "journal", file, line } as const;
  const after = step.forceClosed === null ? state : closedBy(state, step.forceClosed);
  if (after === null) {
    const number = isFunded(state) ? (state.fundings[0].local.current?.number ?? null) : null;
    const fact = "force_closed is not the party's newest commitment";
    return { view, hashed: false, finding: { kind: "state", at, fact, expected: String(number), found: String(step.forceClosed), code: null } };
  }
  const settled = step.closingSigned ? closingBy(after) : after;
  if (settled === null) {
    const fact = "closing_signed where no close is due: shutdowns are missing, or something is left to clear";
    return { view, hashed: false, finding: { kind: "state", at, fact, expected: null, found: "true", code: null } };
  }
  const next = { ...view, state: settled };
  if (!isWhole(actor, settled)) return { view: next, finding: null, hashed: false };
  const hash = hashAfter(settled, step);
  if (hash === step.after) return { view: next, finding: null, hashed: true };
  const fact = "state_after is not the hash of the state that the messages lead to";
  return { view: next, hashed: true, finding: { kind: "state", at, fact, expected: hash, found: step.after, code: null } };
}

function closedBy(state: ChannelState, number: number): ChannelState | null {
  if (!isFunded(state) || state.fundings[0].local.current?.number !== number) return null;
  return { ...state, flags: { ...state.flags, forceClosed: number } };
}

/** Whether a mutual close may be signed. */
function isClosing(state: FundedChannel): boolean {
  return state.flags.shutdownSent && state.flags.shutdownReceived && isClear(state);
}

/** The signature is made elsewhere, and no message shows it yet. */
function closingBy(state: ChannelState): ChannelState | null {
  if (!isFunded(state) || !isClosing(state)) return null;
  return { ...state, flags: { ...state.flags, closingSigned: true } };
}

/** Whether nothing of the state is a stand-in. */
function isWhole(actor: Actor, state: ChannelState): boolean {
  const { limits, name } = actor.record;
  return limits !== null && state.ownPoints.every(({ number, point }) => !equalBytes(point, unknownPointOf(name, number)));
}

function hashAfter(state: ChannelState, { revision, before }: JournalStep): string {
  const base = before === null ? undefined : { revision: revision - 1, hash: before };
  return successor(base, printChannel(state)).hash;
}
