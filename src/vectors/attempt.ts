import { LnError } from "../protocol/errors.js";
import { type Signature, concat } from "../protocol/bytes.js";
import { ownPerCommitmentPoint } from "../protocol/keys/party-keys.js";
import { MAX_COMMITMENT_NUMBER } from "../protocol/keys/shachain.js";
import { readWitnessSignature } from "../protocol/script/assemble.js";
import type { FundedChannel } from "../protocol/channel/state.js";
import { close, receiveShutdown } from "../protocol/channel/transitions/close.js";
import { receiveCommitmentSigned } from "../protocol/channel/transitions/commit.js";
import { propose, proposalIn, receiveChange } from "../protocol/channel/transitions/changes.js";
import { receiveRevocation } from "../protocol/channel/transitions/revoke.js";
import { type Side, dual, opposite } from "../protocol/side.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import type { CommitmentSpec } from "../protocol/tx/spec.js";
import { type Message, type MessageOf, encodeMessage } from "../protocol/wire/messages.js";
import type { CaseAttempt, CaseInputs } from "./case-document.js";
import { caseChannel } from "./case-channel.js";
import { caseTerms } from "./case.js";

/**
 * With which tag the attempt of a case is refused by the channel that the case describes, null where it is not. What a side proposes, its own state
 * refuses; what it sends, the other's. Throws: json-value for an attempt that has nothing to do with the case.
 */
export function refusalOf(inputs: CaseInputs, attempt: CaseAttempt): string | null {
  try {
    act(inputs, attempt);
    return null;
  } catch (error) {
    if (error instanceof LnError && (error.code.startsWith("policy-") || error.code.startsWith("state-"))) return error.code;
    throw error;
  }
}

function act(inputs: CaseInputs, attempt: CaseAttempt): void {
  switch (attempt.act) {
    case "add_htlc":
    case "update_fee":
    case "fulfill_htlc": {
      const state = atRest(inputs);
      const message = changeMessage(state, inputs, attempt);
      if (attempt.by === "local") propose(state, proposalIn(message));
      else receiveChange(state, received(message));
      return;
    }
    case "commitment_signed": {
      const state = limited(caseChannel(inputs, "local", "owner"), inputs, "local");
      const { channelId } = state;
      receiveCommitmentSigned(
        state,
        received({
          type: "commitment_signed",
          channelId,
          signature: compact(attempt.signatureDer, "case.attempt.signature_der"),
          htlcSignatures: attempt.htlcSignaturesDer.map((one, at) => compact(one, `case.attempt.htlc_signatures_der[${at}]`)),
        }),
      );
      return;
    }
    case "revoke_and_ack": {
      const state = signedBeyond(inputs);
      const { channelId, remoteNextPoint } = state;
      const { perCommitmentSecret } = attempt;
      // Whichever point comes with it, the secret is looked at first
      const nextPerCommitmentPoint = remoteNextPoint?.point ?? caseTerms(inputs).perCommitmentPoint;
      receiveRevocation(state, received({ type: "revoke_and_ack", channelId, perCommitmentSecret, nextPerCommitmentPoint }));
      return;
    }
    case "shutdown": {
      const state = atRest(inputs);
      if (attempt.by === "local") close(state, caseTerms(inputs).keys.local, { script: attempt.scriptpubkey });
      else receiveShutdown(state, received({ type: "shutdown", channelId: state.channelId, scriptpubkey: attempt.scriptpubkey }));
      return;
    }
    case "close": {
      const state = atRest(inputs);
      const closing: FundedChannel = {
        ...state,
        features: attempt.kind === "simple" ? ["option_shutdown_anysegwit", "option_simple_close"] : [],
        flags: { ...state.flags, shutdownSent: true, shutdownReceived: true },
        shutdownScripts: { local: attempt.localScriptpubkey, remote: attempt.remoteScriptpubkey },
      };
      close(closing, caseTerms(inputs).keys.local, { fee: { kind: "exactly", feeSatoshis: attempt.feeSat } });
    }
  }
}

/** Both sides hold this commitment's contents, and nothing is under way: the channel as its owner sees it. */
export function atRest(inputs: CaseInputs): FundedChannel {
  const staged = limited(caseChannel(inputs, "local", "owner"), inputs, "local");
  const { number, spec, keys, perCommitmentPoint } = caseTerms(inputs);
  const [funding] = staged.fundings;
  const remotePoint = keys.remote.perCommitmentSeed === null ? perCommitmentPoint : ownPerCommitmentPoint(keys.remote, number);
  return {
    ...staged,
    fundings: [
      {
        ...funding,
        // What is attempted asks for no signature of the past
        local: { current: { number, spec, signature: NO_SIGNATURE, htlcSignatures: [] }, previous: null },
        remote: { current: { number, spec, point: remotePoint }, next: null },
      },
    ],
    staged: { local: null, remote: null },
    // An HTLC's id is its place in the case's list, whoever offered it
    nextIds: dual(() => ({ htlc: BigInt(spec.htlcs.length), pay: 0n })),
  };
}

const NO_SIGNATURE = new Uint8Array(64) as Signature;

/** The owner's next commitment is signed, so that this one is to be revoked: the channel as the other side sees it. */
function signedBeyond(inputs: CaseInputs): FundedChannel {
  const staged = limited(caseChannel(inputs, "remote", "countersigner"), inputs, "remote");
  const { number, keys, perCommitmentPoint } = caseTerms(inputs);
  const [funding] = staged.fundings;
  const spec = staged.staged.remote?.spec as CommitmentSpec;
  const next = Math.min(number + 1, MAX_COMMITMENT_NUMBER);
  const nextPoint = keys.local.perCommitmentSeed === null ? perCommitmentPoint : ownPerCommitmentPoint(keys.local, next);
  return {
    ...staged,
    fundings: [{ ...funding, remote: { current: { number, spec, point: perCommitmentPoint }, next: { number: next, spec, point: nextPoint } } }],
    remoteNextPoint: null,
    staged: { local: null, remote: null },
  };
}

/** With the rules of a channel that is no test case, and what the case says that the sides demand. `as`: whose file it is. */
function limited(state: FundedChannel, { limits }: CaseInputs, as: Side): FundedChannel {
  if (limits === undefined) return { ...state, purpose: "channel" };
  const { minFeeratePerKw, maxFeeratePerKw, maxDustHtlcExposureMsat } = limits;
  const sideOf = (side: Side): Side => (as === "local" ? side : opposite(side));
  return {
    ...state,
    purpose: "channel",
    limits: { ...state.limits, minFeeratePerKw, maxFeeratePerKw, maxDustHtlcExposureMsat },
    params: dual((side) => ({ ...state.params[side], ...limits[sideOf(side)] })),
  };
}

type ChangeMessage = Parameters<typeof proposalIn>[0];

function changeMessage(
  state: FundedChannel,
  { htlcs }: CaseInputs,
  attempt: Extract<CaseAttempt, { readonly act: "add_htlc" | "update_fee" | "fulfill_htlc" }>,
): ChangeMessage {
  const { channelId } = state;
  switch (attempt.act) {
    case "add_htlc": {
      const { amountMsat, cltvExpiry, paymentHash, by } = attempt;
      const id = state.nextIds[by].htlc;
      return { type: "update_add_htlc", channelId, id, amountMsat, cltvExpiry, paymentHash, onionRoutingPacket: new Uint8Array(ONION_BYTES) };
    }
    case "update_fee":
      return { type: "update_fee", channelId, feeratePerKw: attempt.feeratePerKw };
    case "fulfill_htlc": {
      if (htlcs[attempt.htlcIndex] === undefined) {
        const path = "case.attempt.htlc_index";
        throw new LnError("json-value", `${path}: there is no HTLC ${attempt.htlcIndex}`, { path, value: attempt.htlcIndex });
      }
      return { type: "update_fulfill_htlc", channelId, id: BigInt(attempt.htlcIndex), paymentPreimage: attempt.paymentPreimage };
    }
  }
}

/** What an HTLC carries, and nobody here reads. BOLT 4 (Packet Structure). */
const ONION_BYTES = 1366;

function received(message: Message) {
  return { message, wire: encodeMessage(message) };
}

/** Throws: json-value. */
function compact(der: Uint8Array, path: string): MessageOf<"commitment_signed">["signature"] {
  const read = readWitnessSignature(concat(der, Uint8Array.of(SIGHASH_ALL)));
  if (read === null) throw new LnError("json-value", `${path}: no DER signature`, { path });
  return read.signature;
}
