/** The protocol core as a library: pure, synchronous, no I/O. Give it a curve backend first: `useEcc(wasm)`, from `chankit/ecc`; for taproot channels `useMusig2(scureMusig2)`, from `chankit/musig2`. Unstable until 1.0. */
export * from "./protocol/bytes.js";
export * from "./protocol/ecc.js";
export * from "./protocol/errors.js";
export * from "./protocol/musig2.js";
export * from "./protocol/secret.js";
export * from "./protocol/side.js";
export * from "./protocol/units.js";

export * from "./protocol/keys/commitment-keys.js";
export * from "./protocol/keys/derivation.js";
export * from "./protocol/keys/musig2.js";
export * from "./protocol/keys/party-keys.js";
export * from "./protocol/keys/shachain.js";
export * from "./protocol/keys/verification-nonce.js";

export { type Lock, type Witness, p2wpkh, p2wsh, readWitnessSignature, witnessSignature } from "./protocol/script/assemble.js";
export * from "./protocol/script/anchor.js";
export * from "./protocol/script/funding.js";
export * from "./protocol/script/htlc.js";
export * from "./protocol/script/to-local.js";
export * from "./protocol/script/to-remote.js";
export * from "./protocol/script/taproot.js";
export * from "./protocol/script/taproot-outputs.js";

export {
  CONSENSUS_FLAGS,
  type FlagName as ScriptFlagName,
  type Flags as ScriptFlags,
  STANDARD_FLAGS,
  flagNames as scriptFlagNames,
  parseFlags as parseScriptFlags,
} from "./protocol/script/interpreter/flags.js";
export * from "./protocol/script/interpreter/verify.js";

export * from "./protocol/tx/bump.js";
export * from "./protocol/tx/commitment-number.js";
export * from "./protocol/tx/commitment-tx.js";
export * from "./protocol/tx/fees.js";
export * from "./protocol/tx/format.js";
export * from "./protocol/tx/htlc-tx.js";
export * from "./protocol/tx/outputs.js";
export * from "./protocol/tx/owner-plan.js";
export * from "./protocol/tx/parse.js";
export * from "./protocol/tx/penalty-tx.js";
export * from "./protocol/tx/plan.js";
export * from "./protocol/tx/recognise.js";
export * from "./protocol/tx/sign.js";
export * from "./protocol/tx/sign-taproot.js";
export * from "./protocol/tx/signer.js";
export * from "./protocol/tx/spec.js";
export * from "./protocol/tx/spend.js";
export * from "./protocol/tx/structure.js";
export * from "./protocol/tx/sweep-tx.js";

export * from "./protocol/channel/identify.js";
export * from "./protocol/channel/params.js";
export * from "./protocol/channel/select.js";
export * from "./protocol/channel/state.js";
export * from "./protocol/channel/transitions/bump.js";
export * from "./protocol/channel/transitions/changes.js";
export * from "./protocol/channel/transitions/commit.js";
export * from "./protocol/channel/transitions/funding.js";
export * from "./protocol/channel/transitions/import.js";
export * from "./protocol/channel/transitions/leave.js";
export * from "./protocol/channel/transitions/opening.js";
export * from "./protocol/channel/transitions/outcome.js";
export * from "./protocol/channel/transitions/reestablish.js";
export * from "./protocol/channel/transitions/revoke.js";
export * from "./protocol/channel/transitions/sweep.js";

export * from "./protocol/wire/messages.js";
