import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, toHex } from "../protocol/bytes.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { publicKey } from "../protocol/keys/derivation.js";
import { type Lock } from "../protocol/script/assemble.js";
import type { Secret32 } from "../protocol/secret.js";
import type { ClosingTx } from "../protocol/tx/closing-tx.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { idOf } from "./chain.js";
import { type Keyring, keysOn, locksOf, preimageIndex, scriptIndex, secretIndex } from "./keyring.js";

/** What spends the funding output. */
export type Spending = { readonly kind: "commitment"; readonly commitment: Commitment } | { readonly kind: "closing"; readonly closing: ClosingTx };

export const unsignedOf = (spending: Spending) => (spending.kind === "commitment" ? spending.commitment.unsigned : spending.closing.unsigned);

/**
 * What both can do once one of these is confirmed. Whatever comes from it is locked by its own scripts or by a wallet, and these name keys of its own
 * point: so no other commitment, and nothing else that is known, changes what can happen.
 */
export interface Grip {
  readonly spending: Spending;
  /** HTLC transactions that the adversary can complete. */
  readonly htlcTxs: readonly Transaction[];
  readonly adversary: Keyring;
  readonly honest: Keyring;
  /** The same for equal grips. */
  readonly key: string;
}

/** What a grip is made of. Secret: all of it. */
export interface Holds {
  readonly keys: PartyKeys;
  /** Of the commitment's point, where it is known. */
  readonly secret: Secret32<"per_commitment"> | null;
}

/** Secrets in. `wallet` is the honest side's. */
export function gripOn(
  commitment: Commitment,
  htlcTxs: readonly Transaction[],
  adversary: Holds,
  honest: Holds & { readonly wallet: { readonly secret: Secret32; readonly lock: Lock } },
  preimages: readonly Bytes32[],
): Grip {
  const locks = locksOf(commitment);
  const ringOf = ({ keys, secret }: Holds, more: readonly Secret32[], others: readonly Lock[]): Keyring => ({
    secrets: secretIndex([...keysOn(commitment, keys, secret), ...more]),
    preimages: preimageIndex(preimages),
    scripts: scriptIndex([...locks, ...others]),
  });
  return {
    spending: { kind: "commitment", commitment },
    htlcTxs,
    adversary: ringOf(adversary, [], []),
    honest: ringOf(honest, [honest.wallet.secret], [honest.wallet.lock]),
    key: gripKey(commitment, htlcTxs, adversary.secret, honest.secret),
  };
}

/** Without the work of making it. Trimmed HTLCs and parts of a satoshi are in no output: so the spec counts beside the transaction. */
export function gripKey({ txid, spec }: Commitment, htlcTxs: readonly Transaction[], adversary: Holds["secret"], honest: Holds["secret"]): string {
  const { feeratePerKw, balances, htlcs } = spec;
  const contents = [
    feeratePerKw,
    balances.local,
    balances.remote,
    ...htlcs.map((each) => [each.id, each.offeredBy, each.amountMsat, toHex(each.paymentHash), each.cltvExpiry].join(":")),
  ].join();
  const secrets = [adversary, honest].map((secret) => (secret === null ? "" : toHex(publicKey(secret))));
  return [toHex(txid), contents, htlcTxs.map(idOf).join(), ...secrets].join("|");
}

/** A mutual close pays to wallets, whose owners are the judge's to know: nothing of it is left to be contested. */
export function gripOnClosing(closing: ClosingTx): Grip {
  const nothing: Keyring = { secrets: new Map(), preimages: new Map(), scripts: new Map() };
  const { balances } = closing.plan;
  const key = ["closing", toHex(closing.txid), balances.local, balances.remote].join("|");
  return { spending: { kind: "closing", closing }, htlcTxs: [], adversary: nothing, honest: nothing, key };
}
