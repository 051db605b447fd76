import { equalBytes, toHex, displayTxid } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { channelMustBeOpen } from "../../policy/changes.js";
import { type PartyKeys, requireSecret } from "../../keys/party-keys.js";
import { isLowS } from "../../keys/scalar.js";
import {
  acceptOnlyAnswered,
  acceptOnlyChanges,
  commitmentMustPayItsFee,
  nothingNewAfterBroadcast,
  nothingNewAfterClosing,
  nothingNewBehind,
  signOnlyBeyondRevoked,
  signOnlyChanges,
  signOnlyWithPoint,
} from "../../policy/interlocks.js";
import type { Side } from "../../side.js";
import type { Commitment } from "../../tx/commitment-tx.js";
import { buildHtlcTxs } from "../../tx/htlc-tx.js";
import { type HashSigner, PLAIN, signCommitment, signHtlcTxs, verifyCommitmentSignature, verifyHtlcSignatures } from "../../tx/sign.js";
import type { MessageOf } from "../../wire/messages.js";
import { type Received, acknowledge, newestSent } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import { selectCommitment } from "../select.js";
import { hasNext, type ChangeStage, type ChannelState, type FundedChannel, requireFunded } from "../state.js";
import { type Outcome, done, expectChannel, expectType, sending, taking } from "./outcome.js";

/** The changes with every one of `by`'s that is at one stage moved to another. */
export function advance(state: FundedChannel, by: Side, from: ChangeStage, to: ChangeStage): FundedChannel {
  const moved = state.changes[by].map((change) => (change.stage === from ? { ...change, stage: to } : change));
  return { ...state, changes: { ...state.changes, [by]: moved } };
}

/**
 * Signs the peer's next commitment: our proposals are in it now, and the peer's that we have acknowledged.
 * With nothing new, gives the last signature again.
 * BOLT 2 §Committing Updates So Far: `commitment_signed`. Throws: policy-sign-…, policy-force-closed, policy-closing-signed, key-….
 */
export function sign(channel: ChannelState, keys: PartyKeys, signer: HashSigner = PLAIN): Outcome {
  const state = requireFunded(channel);
  const again = newestSent(state.messages, "commitment_signed");
  if (again !== undefined && !hasNext(state, "remote")) return done(state, { repeated: true, resend: again });
  nothingNewAfterBroadcast(state);
  nothingNewAfterClosing(state);
  nothingNewBehind(state);
  signOnlyBeyondRevoked(state);
  signOnlyWithPoint(state);
  channelMustBeOpen(state);
  signOnlyChanges(state);
  requireOwnKeys(state, keys);

  const { commitment } = selectCommitment(state, "remote");
  commitmentMustPayItsFee(state, commitment);
  const htlcSecret = requireSecret(keys, "htlcBasepointSecret");
  const htlcSignatures = signHtlcTxs(commitment, buildHtlcTxs(commitment), htlcSecret, signer);
  const [funding] = state.fundings;
  const { number, spec, keys: commitmentKeys } = commitment;
  const signed: FundedChannel = {
    ...advance(advance(state, "local", "proposed", "signed"), "remote", "acked", "countersigned"),
    fundings: [{ ...funding, remote: { ...funding.remote, next: { number, spec, point: commitmentKeys.perCommitmentPoint } } }],
    remoteNextPoint: null,
    staged: { ...state.staged, remote: null },
  };
  return sending(signed, {
    type: "commitment_signed",
    channelId: state.channelId,
    signature: signCommitment(commitment, requireSecret(keys, "fundingPrivkey"), signer),
    htlcSignatures,
    fundingTxid: funding.txid,
  });
}

/**
 * Verifies the peer's signatures of our next commitment and stores them: from now on it is ours to broadcast.
 * BOLT 2 §Committing Updates So Far: `commitment_signed`. Throws: state-signature-…, state-htlc-signature-…, policy-commitment-…, policy-force-closed.
 */
export function receiveCommitmentSigned(channel: ChannelState, received: Received): Outcome {
  const message = expectType(received, "commitment_signed");
  const state = requireFunded(channel);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  const [funding] = state.fundings;
  if (message.fundingTxid !== undefined && !equalBytes(message.fundingTxid, funding.txid)) {
    throw new LnError(
      "state-wrong-funding",
      `the signature is for funding ${displayTxid(message.fundingTxid)}, ours is ${displayTxid(funding.txid)}`,
      {
        funding_txid: displayTxid(message.fundingTxid),
        expected: displayTxid(funding.txid),
      },
    );
  }
  nothingNewAfterBroadcast(state);
  nothingNewAfterClosing(state);
  nothingNewBehind(state);
  channelMustBeOpen(state);
  acceptOnlyAnswered(state);
  acceptOnlyChanges(state);

  const { commitment } = selectCommitment(state, "local");
  commitmentMustPayItsFee(state, commitment);
  verifySignatures(commitment, message);
  const { number, spec } = commitment;
  const current = { number, spec, signature: message.signature, htlcSignatures: message.htlcSignatures };
  return done({
    ...advance(advance(state, "remote", "proposed", "signed"), "local", "acked", "countersigned"),
    // A new commitment_signed shows that the peer has our answer to the one before
    messages: acknowledge(messages, ({ type }) => type === "revoke_and_ack" || type === "channel_ready"),
    fundings: [{ ...funding, local: { current, previous: funding.local.current } }],
    staged: { ...state.staged, local: null },
  });
}

/**
 * Throws: state-signature-high-s, state-signature-invalid, state-htlc-signature-count, state-htlc-signature-invalid.
 * BOLT 2 §Committing Updates So Far: `commitment_signed`.
 */
export function verifySignatures(
  commitment: Commitment,
  { signature, htlcSignatures }: Pick<MessageOf<"commitment_signed">, "signature" | "htlcSignatures">,
): void {
  const { number } = commitment;
  requireLowS(signature, "signature");
  if (!verifyCommitmentSignature(commitment, signature)) {
    throw new LnError(
      "state-signature-invalid",
      `signature ${toHex(signature)} is not good for our commitment ${number}, txid ${displayTxid(commitment.txid)}`,
      { path: "signature", number, txid: displayTxid(commitment.txid), signature: toHex(signature) },
    );
  }
  const htlcTxs = buildHtlcTxs(commitment);
  if (htlcSignatures.length !== htlcTxs.length) {
    throw new LnError("state-htlc-signature-count", `${htlcSignatures.length} htlc_signatures came for ${htlcTxs.length} untrimmed HTLCs`, {
      number,
      htlc_signatures: htlcSignatures.length,
      untrimmed_htlcs: htlcTxs.length,
    });
  }
  for (const [at, candidate] of htlcSignatures.entries()) requireLowS(candidate, `htlc_signatures[${at}]`);
  const verdicts = verifyHtlcSignatures(htlcTxs, htlcSignatures);
  for (const [at, htlcTx] of htlcTxs.entries()) {
    if (verdicts[at] === true) continue;
    const { id, offeredBy } = htlcTx.output.htlc;
    throw new LnError(
      "state-htlc-signature-invalid",
      `htlc_signatures[${at}] is not good for the HTLC ${id} offered by ${offeredBy}, output ${htlcTx.outputIndex}`,
      {
        number,
        at,
        htlc_id: id.toString(),
        offered_by: offeredBy,
        output_index: htlcTx.outputIndex,
      },
    );
  }
}

/** BOLT 2 demands low S of every signature. */
function requireLowS(signature: MessageOf<"commitment_signed">["signature"], path: string): void {
  if (isLowS(signature)) return;
  throw new LnError("state-signature-high-s", `${path} ${toHex(signature)} has a high S: the network does not relay it`, {
    path,
    signature: toHex(signature),
  });
}
