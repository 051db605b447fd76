import { type NumberedPoint, type PartyParams, channelIdOf } from "../protocol/channel/params.js";
import { EMPTY_LOG } from "../protocol/channel/message-log.js";
import { chainHash } from "../protocol/channel/params.js";
import { type FundedChannel, NO_CLOSING } from "../protocol/channel/state.js";
import type { Basepoints } from "../protocol/keys/commitment-keys.js";
import { type PartyKeys, ownPerCommitmentPoint } from "../protocol/keys/party-keys.js";
import { LnError } from "../protocol/errors.js";
import { type CommitmentNumber, EMPTY_SHACHAIN } from "../protocol/keys/shachain.js";
import { type Side, opposite, swapSides } from "../protocol/side.js";
import { CHANNEL_TYPES, type ChannelType } from "../protocol/tx/channel-type.js";
import type { CommitmentSpec } from "../protocol/tx/spec.js";
import { FORMATS } from "../protocol/tx/format.js";
import { msat, perKw, sat, toMsat } from "../protocol/units.js";
import { caseTerms } from "./case.js";
import type { CaseInputs } from "./case-document.js";

/**
 * A case as one side's channel file: the commitment is staged, as the next to be signed for its countersigner and as the next to be verified
 * for its owner. The rules about values are not asked; those about order are. Throws: input-channel-type.
 */
export function caseChannel(inputs: CaseInputs, as: Side, party: string): FundedChannel {
  const { keys, terms, number, spec, perCommitmentPoint } = caseTerms(inputs);
  const ours = as === "local";
  const view = <T>(pair: Readonly<Record<Side, T>>) => (ours ? pair : swapSides(pair));
  const { funding } = terms;
  const params = (basepoints: Basepoints): PartyParams => ({
    ...basepoints,
    dustLimitSatoshis: inputs.dustLimitSatoshis,
    maxHtlcValueInFlightMsat: toMsat(funding.amount),
    channelReserveSatoshis: sat(0n),
    htlcMinimumMsat: msat(0n),
    toSelfDelay: inputs.toSelfDelay,
    maxAcceptedHtlcs: FORMATS[inputs.channelType].maxAcceptedHtlcs,
    upfrontShutdownScript: null,
  });
  const staged = { number, spec: ours ? spec : mirrored(spec) };
  return {
    party,
    purpose: "vector",
    phase: "open",
    chain: "regtest",
    channelType: requireChannelType(inputs.channelType),
    opener: ours ? inputs.opener : opposite(inputs.opener),
    payExtension: false,
    features: [],
    temporaryChannelId: chainHash("regtest"),
    fundingSatoshis: funding.amount,
    pushMsat: msat(0n),
    feeratePerKw: inputs.feeratePerKw,
    limits: {
      minFeeratePerKw: perKw(0n),
      maxFeeratePerKw: perKw(0xffffffffn),
      maxToSelfDelay: 0xffff,
      maxDustLimitSatoshis: funding.amount,
      maxDustHtlcExposureMsat: toMsat(funding.amount),
    },
    ownPoints: ours ? [{ number, point: perCommitmentPoint }, ...laterPoints(keys.local, number)] : [],
    messages: EMPTY_LOG,
    params: view({ local: params(terms.basepoints.local), remote: params(terms.basepoints.remote) }),
    minimumDepth: 0,
    channelId: channelIdOf(funding.txid, funding.outputIndex),
    channelReady: { local: true, remote: true },
    fundings: [{ ...funding, local: { current: null, previous: null }, remote: { current: null, next: null } }],
    fundingPsbt: null,
    remoteNextPoint: ours ? null : { number, point: perCommitmentPoint },
    changes: { local: [], remote: [] },
    staged: { local: ours ? staged : null, remote: ours ? null : staged },
    nextIds: { local: { htlc: 0n, pay: 0n }, remote: { htlc: 0n, pay: 0n } },
    knownPreimages: inputs.htlcs.flatMap(({ paymentPreimage }) => paymentPreimage ?? []),
    remoteSecrets: EMPTY_SHACHAIN,
    flags: { behind: false, forceClosed: null, shutdownSent: false, shutdownReceived: false, closingSigned: false },
    shutdownScripts: { local: null, remote: null },
    closing: NO_CLOSING,
  };
}

/** Throws: input-channel-type. */
function requireChannelType(type: ChannelType): ChannelType {
  const found = CHANNEL_TYPES.find((known) => known === type);
  if (found !== undefined) return found;
  throw new LnError("input-channel-type", `channels of the type ${type} are not supported, only their transactions`, { channel_type: type });
}

/** The two points after the commitment's, where the seed gives them. */
function laterPoints(keys: PartyKeys, number: CommitmentNumber): readonly NumberedPoint[] {
  if (keys.perCommitmentSeed === null) return [];
  return [number + 1, number + 2].map((later) => ({ number: later, point: ownPerCommitmentPoint(keys, later) }));
}

function mirrored(spec: CommitmentSpec): CommitmentSpec {
  return {
    ...spec,
    balances: swapSides(spec.balances),
    htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offeredBy: opposite(htlc.offeredBy) })),
  };
}
