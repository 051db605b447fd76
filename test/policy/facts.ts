import { expect, test } from "vitest";
import { LnError } from "../../src/protocol/errors.js";
import type { FundedChannel, RemoteCommit, LocalCommit, Change } from "../../src/protocol/channel/state.js";
import type { CommitmentSpec } from "../../src/protocol/tx/spec.js";
import { ANCHORS, parties, stateOf } from "../support/party.js";

/** Alice's state of an open channel: she is the opener, has 6,000,000 sat, Bob 4,000,000 sat, both hold commitment 0 at 2500 per kw. */
export const OPEN: FundedChannel = stateOf((await parties(ANCHORS)).alice);

export type Act = () => void;

/** A rule's verdict: null where it is kept, else code, words and details of the refusal. */
export function verdict(act: Act): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    return `${error.code}: ${error.message} ${JSON.stringify(error.details)}`;
  }
}

/** What a rule takes, up to its very edge. */
export function keeps(rows: Readonly<Record<string, Act>>): void {
  test.each(Object.entries(rows))("takes %s", (_, act) => {
    expect(verdict(act)).toBeNull();
  });
}

/** What a rule refuses from its edge on, in the words and figures that a reader gets. */
export function refuses(rows: Readonly<Record<string, readonly [Act, string]>>): void {
  test.each(Object.entries(rows))("refuses %s", (_, [act, words]) => {
    expect(verdict(act)).toBe(words);
  });
}

type Local = FundedChannel["fundings"][0]["local"];
type Remote = FundedChannel["fundings"][0]["remote"];

export function withFunding(state: FundedChannel, change: { readonly local?: Partial<Local>; readonly remote?: Partial<Remote> }): FundedChannel {
  const [funding] = state.fundings;
  return { ...state, fundings: [{ ...funding, local: { ...funding.local, ...change.local }, remote: { ...funding.remote, ...change.remote } }] };
}

export const LOCAL_0 = OPEN.fundings[0].local.current as LocalCommit;
export const REMOTE_0 = OPEN.fundings[0].remote.current as RemoteCommit;
export const localCommit = (number: number): LocalCommit => ({ ...LOCAL_0, number });
export const remoteCommit = (number: number): RemoteCommit => ({ ...REMOTE_0, number });

export const flagged = (flags: Partial<FundedChannel["flags"]>): FundedChannel => ({ ...OPEN, flags: { ...OPEN.flags, ...flags } });

/** The same spec on every commitment that is held. */
export function withSpecs(state: FundedChannel, edit: (spec: CommitmentSpec) => CommitmentSpec): FundedChannel {
  const [{ local, remote }] = state.fundings;
  const edited = <C extends { readonly spec: CommitmentSpec }>(commit: C | null): C | null =>
    commit === null ? null : { ...commit, spec: edit(commit.spec) };
  return withFunding(state, {
    local: { current: edited(local.current), previous: edited(local.previous) },
    remote: { current: edited(remote.current), next: edited(remote.next) },
  });
}

export function withChanges(
  state: FundedChannel,
  changes: { readonly local?: readonly Change[]; readonly remote?: readonly Change[] },
): FundedChannel {
  return { ...state, changes: { ...state.changes, ...changes } };
}
