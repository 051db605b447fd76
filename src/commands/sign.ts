import { literal } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { someFields } from "../json/fields.js";
import { commitmentNumber, hexBytes } from "../json/primitives.js";
import { equalBytes, toHex } from "../protocol/bytes.js";
import { type HeldCommitment, heldCommitments, previewCommitment, selectCommitment } from "../protocol/channel/select.js";
import { nextNumber, type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { sign } from "../protocol/channel/transitions/commit.js";
import { LnError } from "../protocol/errors.js";
import { neverSignOwnForPeer, signSameOnly } from "../protocol/policy/interlocks.js";
import { LOW_R, PLAIN } from "../protocol/tx/sign.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { toggle } from "./shared/options.js";
import { changeFlags, loadKeys, loadParty, locateParty, partyArgument, readDocument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";
import { COMMITMENT_FORMAT } from "./shared/transactions.js";

export const command = defineCommand({
  name: "sign",
  summary: "sign the peer's next commitment: commitment_signed",
  description:
    "Signs the peer's next commitment and prints commitment_signed. With nothing new it prints the last one again. " +
    "A commitment that is piped in is compared with the one the state determines, byte for byte.",
  args: [partyArgument, { syntax: "[commitment]", help: "what build-commitment printed, or -; it must be what the state determines" }],
  flags: { ...changeFlags, lowR: toggle("--low-r", "signatures with a low R, a byte shorter in DER, found as Bitcoin Core finds them") },
  examples: ["chankit sign alice -o wire/", "chankit build-commitment alice --owner remote | chankit sign alice -"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [file] = rest;
    const given = file === undefined ? undefined : readCommitment(ctx, file);
    const party = loadParty(ctx, paths, o);
    if (given !== undefined) requireSame(requireFunded(party.state), given);
    const outcome = sign(party.state, await loadKeys(ctx, party.paths, o), o.lowR === true ? LOW_R : PLAIN);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});

/** As much of the document as is compared: the transaction itself, and the number that it claims. */
const commitmentFile = someFields({ format: literal(COMMITMENT_FORMAT), commitment_number: commitmentNumber, unsigned_tx: hexBytes });

function readCommitment(ctx: Context, file: string) {
  const { commitmentNumber: number, unsignedTx: tx } = decode(commitmentFile, readDocument(ctx, file), file);
  return { number, tx };
}

/** Throws: policy-sign-own-commitment, policy-sign-different, state-commitment-mismatch. */
function requireSame(state: FundedChannel, { number, tx }: { readonly number: number; readonly tx: Uint8Array }): void {
  if (ownCommitments(state).some(({ commitment }) => equalBytes(commitment.unsigned.toBuffer(), tx))) neverSignOwnForPeer("local");

  const { commitment } = selectCommitment(state, "remote");
  const expected = commitment.unsigned.toBuffer();
  if (equalBytes(expected, tx)) return;
  const signed = [state.fundings[0].remote.current, state.fundings[0].remote.next].some((held) => held?.number === number);
  if (signed) {
    const before = selectCommitment(state, "remote", number).commitment.unsigned.toBuffer();
    signSameOnly(number, equalBytes(before, tx));
  }
  const at = expected.findIndex((byte, index) => byte !== tx[index]);
  const first = at === -1 ? expected.length : at;
  throw new LnError(
    "state-commitment-mismatch",
    `the commitment differs from the one that the state determines (number ${commitment.number}) from byte ${first} on, ${fieldAt(expected, first)}`,
    {
      number,
      expected_number: commitment.number,
      first_difference: first,
      field: fieldAt(expected, first),
      expected: toHex(expected.subarray(first, first + 8)),
      given: toHex(tx.subarray(first, first + 8)),
    },
  );
}

/** What must never be signed for the peer: our own commitments, also as they will be once everything proposed has reached us. */
function ownCommitments(state: FundedChannel): readonly HeldCommitment[] {
  const held = heldCommitments(state, "local");
  const next = nextNumber(state, "local");
  // A test case has no commitment to go on from, or no point for the one after it
  const foreseeable = state.fundings[0].local.current !== null && state.ownPoints.some(({ number }) => number === next);
  return foreseeable ? [...held, previewCommitment(state, "local")] : held;
}

/** The field of an unsigned one-input transaction to which a byte belongs. */
function fieldAt(tx: Uint8Array, at: number): string {
  const INPUT = 4 + 1;
  const bounds: readonly (readonly [number, string])[] = [
    [4, "version"],
    [INPUT, "input count"],
    [INPUT + 32, "funding txid"],
    [INPUT + 36, "funding output index"],
    [INPUT + 37, "scriptSig"],
    [INPUT + 41, "sequence"],
    [tx.length - 4, "outputs"],
  ];
  return bounds.find(([end]) => at < end)?.[1] ?? "locktime";
}
