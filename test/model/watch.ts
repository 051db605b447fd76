import { type Bytes32, equalBytes, toHex } from "../../src/protocol/bytes.js";
import { ecc } from "../../src/protocol/ecc.js";
import { ownSecret, requireSecret } from "../../src/protocol/keys/party-keys.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { type Message, encodeMessage } from "../../src/protocol/wire/messages.js";
import { KEYS, type Who } from "../chain/pair.js";

/*
 * The interlocks once more, from nothing but the messages that one party let out and took in: DESIGN.md section 5. It knows no state of the program's.
 */

export class Watch {
  readonly who: Who;
  /** Signatures of the peer's commitments 1, 2, … as they left. */
  private readonly signatures: string[] = [];
  private secretsOut = 0;
  private verified = 0;
  private secretsIn: string[] = [];
  private readonly forbidden: readonly string[];

  constructor(who: Who) {
    this.who = who;
    const names = [
      "fundingPrivkey",
      "revocationBasepointSecret",
      "paymentBasepointSecret",
      "delayedPaymentBasepointSecret",
      "htlcBasepointSecret",
      "perCommitmentSeed",
    ] as const;
    this.forbidden = names.map((name) => toHex(requireSecret(KEYS[who], name).reveal()));
  }

  tookIn(message: Message): void {
    if (message.type === "commitment_signed") this.verified += 1;
    if (message.type === "revoke_and_ack") this.secretsIn.push(toHex(message.perCommitmentSecret.reveal()));
  }

  /** Every message that leaves, for the first time or again. `ownHashes` is what signatures of the party's own commitments cover. */
  emitted(message: Message, ownHashes: readonly Bytes32[]): void {
    this.tellsNoSecret(message);
    if (message.type === "commitment_signed") {
      const all = [message.signature, ...message.htlcSignatures];
      const words = all.map(toHex).join();
      if (this.signatures.at(-1) === words) return;
      if (this.signatures.includes(words)) throw this.passed("an old commitment_signed left again");
      // Signed n, and n − 1 revoked: n + 1 may be signed. The peer holds two unrevoked ones at most, and no number is signed twice with other contents
      if (this.signatures.length !== this.secretsIn.length) {
        throw this.passed(`number ${this.signatures.length + 1} was signed while ${this.secretsIn.length - 1} was the last that was revoked`);
      }
      const own = publicKey(requireSecret(KEYS[this.who], "fundingPrivkey"));
      if (ownHashes.some((hash) => ecc().verify(hash, own, message.signature))) throw this.passed("a signature of an own commitment left");
      this.signatures.push(words);
    }
    if (message.type === "revoke_and_ack") {
      const number = [this.secretsOut - 1, this.secretsOut].find((at) => at >= 0 && this.isSecret(at, message.perCommitmentSecret.reveal()));
      if (number === undefined) throw this.passed(`a revocation holds neither secret ${this.secretsOut - 1} nor ${this.secretsOut}`);
      if (number >= this.verified) throw this.passed(`secret ${number} left when ${this.verified} was the newest that was signed to us`);
      const next = publicKey(ownSecret(KEYS[this.who], number + 2));
      if (!equalBytes(next, message.nextPerCommitmentPoint)) throw this.passed(`revocation ${number} has another point than ${number + 2}`);
      this.secretsOut = Math.max(this.secretsOut, number + 1);
    }
    if (message.type === "channel_reestablish") {
      const shown = toHex(message.yourLastPerCommitmentSecret.reveal());
      if (shown !== (this.secretsIn.at(-1) ?? "00".repeat(32))) throw this.passed("channel_reestablish shows another secret than the last");
      if (Number(message.nextRevocationNumber) !== this.secretsIn.length) throw this.passed("channel_reestablish miscounts the revocations");
      if (Number(message.nextCommitmentNumber) !== this.verified + 1) throw this.passed("channel_reestablish miscounts the commitments");
    }
  }

  get released(): number {
    return this.secretsOut;
  }

  private isSecret(number: number, bytes: Uint8Array): boolean {
    return equalBytes(ownSecret(KEYS[this.who], number).reveal(), bytes);
  }

  private tellsNoSecret(message: Message): void {
    const text = toHex(encodeMessage(message));
    const withheld = [0, 1, 2].map((ahead) => toHex(ownSecret(KEYS[this.who], this.secretsOut + ahead).reveal()));
    const told = [...this.forbidden, ...withheld].filter((secret) => text.includes(secret));
    const due = message.type === "revoke_and_ack" ? told.filter((secret) => secret !== withheld[0]) : told;
    if (due.length > 0) throw this.passed(`a ${message.type} tells a secret`);
  }

  private passed(what: string): Error {
    return new Error(`interlock passed by ${this.who}: ${what}`);
  }
}
