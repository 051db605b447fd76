import { Transaction } from "bitcoinjs-lib/src/transaction";
import { parseTxid } from "../../src/protocol/bytes.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../src/protocol/keys/party-keys.js";
import { witnessSignature } from "../../src/protocol/script/assemble.js";
import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import { FORMATS, SIGHASH_ALL } from "../../src/protocol/tx/format.js";
import { sighash, signHash, withWitnesses } from "../../src/protocol/tx/sign.js";
import { SEQUENCE_RBF } from "../../src/protocol/tx/spend.js";
import { sat } from "../../src/protocol/units.js";
import { keysOf, parties } from "../support/party.js";
import { WALLET, WALLET_LOCK } from "../support/wallet.js";
import type { Reward } from "./regtest-node.js";

/** What it costs to be relayed by any node: far more than the least. */
const FEE = 10_000n;

/** A transaction that turns a reward into funding outputs of a channel between the tests' parties, and change. */
export async function fundingFrom(reward: Reward, type: ChannelType, amounts: readonly bigint[]): Promise<Transaction> {
  const p = await parties(undefined, "keys");
  const [alice, bob] = [basepointsOf(keysOf(p.alice)), basepointsOf(keysOf(p.bob))];
  const { scriptPubkey } = FORMATS[type].funding(alice.fundingPubkey, bob.fundingPubkey);
  const unsigned = new Transaction();
  unsigned.version = 2;
  unsigned.addInput(parseTxid(reward.txid), 0, SEQUENCE_RBF);
  for (const amount of amounts) unsigned.addOutput(scriptPubkey, amount);
  unsigned.addOutput(WALLET_LOCK.scriptPubkey, reward.amount - amounts.reduce((sum, amount) => sum + amount, FEE));
  const signature = signHash(sighash(unsigned, 0, { lock: WALLET_LOCK, amount: sat(reward.amount) }, SIGHASH_ALL), WALLET);
  return withWitnesses(unsigned, [[witnessSignature(signature, SIGHASH_ALL), publicKey(WALLET)]]);
}

/** BIP 433. */
export const PAY_TO_ANCHOR = Uint8Array.of(0x51, 0x02, 0x4e, 0x73);

interface WalletCoin {
  readonly txid: string;
  readonly outputIndex: number;
  readonly amount: bigint;
}

/** A TRUC transaction (BIP 431) of the wallet's; `free` are outputs that anybody may spend. */
export function walletTx(
  coins: readonly WalletCoin[],
  outputs: readonly { readonly script: Uint8Array; readonly value: bigint }[],
  free: readonly Pick<WalletCoin, "txid" | "outputIndex">[] = [],
): Transaction {
  const tx = new Transaction();
  tx.version = 3;
  for (const { txid, outputIndex } of [...coins, ...free]) tx.addInput(parseTxid(txid), outputIndex, SEQUENCE_RBF);
  for (const { script, value } of outputs) tx.addOutput(script, value);
  const witnesses = coins.map(({ amount }, index) => {
    const signature = signHash(sighash(tx, index, { lock: WALLET_LOCK, amount: sat(amount) }, SIGHASH_ALL), WALLET);
    return [witnessSignature(signature, SIGHASH_ALL), publicKey(WALLET)];
  });
  return withWitnesses(tx, [...witnesses, ...free.map(() => [])]);
}
