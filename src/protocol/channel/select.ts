import { LnError } from "../errors.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import type { Side } from "../side.js";
import { type Commitment, buildCommitment } from "../tx/commitment-tx.js";
import type { CommitmentSpec } from "../tx/spec.js";
import type { NumberedPoint } from "./params.js";
import { type FundedChannel, eventualSpec, nextSpec, ownPoint, hasNext, nextNumber } from "./state.js";
import { commitmentTerms } from "./terms.js";

/**
 * What a commitment is in the channel's life: `next` not signed yet · `current` the newest signed, for the peer's the newest unrevoked ·
 * `pending` signed beyond an unrevoked one · `previous` replaced but not revoked · `preview` what will be once all proposals are in.
 */
export type Standing = "next" | "current" | "pending" | "previous" | "preview";

export interface HeldCommitment {
  readonly standing: Standing;
  readonly commitment: Commitment;
}

interface Candidate {
  readonly standing: Standing;
  readonly number: CommitmentNumber;
  readonly spec: () => CommitmentSpec;
  readonly point: () => NumberedPoint;
}

/** The commitments that the state determines, the one that a command means by default first. */
function candidates(state: FundedChannel, owner: Side): readonly Candidate[] {
  const [{ local, remote }] = state.fundings;
  const next: Candidate[] = hasNext(state, owner)
    ? [
        {
          standing: "next",
          number: nextNumber(state, owner),
          spec: () => nextSpec(state, owner),
          point: () => (owner === "local" ? ownPoint(state, nextNumber(state, owner)) : remoteNextPoint(state)),
        },
      ]
    : [];
  const held: Candidate[] = [];
  if (owner === "local") {
    for (const [standing, commit] of [
      ["current", local.current],
      ["previous", local.previous],
    ] as const) {
      if (commit !== null) held.push({ standing, number: commit.number, spec: () => commit.spec, point: () => ownPoint(state, commit.number) });
    }
  } else {
    for (const [standing, commit] of [
      ["pending", remote.next],
      ["current", remote.current],
    ] as const) {
      if (commit !== null) held.push({ standing, number: commit.number, spec: () => commit.spec, point: () => commit });
    }
  }
  return [...next, ...held];
}

/** Throws: state-point-unknown. */
function remoteNextPoint(state: FundedChannel): NumberedPoint {
  const point = state.remoteNextPoint;
  const number = nextNumber(state, "remote");
  if (point !== null && point.number === number) return point;
  throw new LnError("state-point-unknown", `the peer's point ${number} has not come yet`, { number });
}

function build(state: FundedChannel, owner: Side, { standing, number, spec, point }: Candidate): HeldCommitment {
  return { standing, commitment: buildCommitment(commitmentTerms(state, owner), number, point().point, spec()) };
}

/**
 * `owner`'s commitment `number`; without a number the next one where there is something new for it, else the newest signed.
 * Throws: state-no-commitment, state-commitment-not-held, state-point-unknown.
 */
export function selectCommitment(state: FundedChannel, owner: Side, number?: CommitmentNumber): HeldCommitment {
  const all = candidates(state, owner);
  const chosen = number === undefined ? all[0] : all.find((candidate) => candidate.number === number);
  if (chosen !== undefined) return build(state, owner, chosen);
  if (number === undefined) throw new LnError("state-no-commitment", `no commitment of the ${owner} side yet`, { owner });
  const held = all.map((candidate) => candidate.number);
  throw new LnError("state-commitment-not-held", `the ${owner} side's commitment ${number} is not held, only ${held.join(" and ")}`, {
    owner,
    number,
    held,
  });
}

/** Every commitment of `owner`'s that the state determines. */
export function heldCommitments(state: FundedChannel, owner: Side): readonly HeldCommitment[] {
  return candidates(state, owner)
    .filter((candidate) => candidate.standing !== "next" || owner === "local" || state.remoteNextPoint !== null)
    .map((candidate) => build(state, owner, candidate));
}

/** What `owner`'s next commitment will be once everything proposed has reached it: to look at, never to sign. */
export function previewCommitment(state: FundedChannel, owner: Side): HeldCommitment {
  const number = nextNumber(state, owner);
  const point = owner === "local" ? ownPoint(state, number) : remoteNextPoint(state);
  return { standing: "preview", commitment: buildCommitment(commitmentTerms(state, owner), number, point.point, eventualSpec(state, owner)) };
}
