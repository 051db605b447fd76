import type { Limits } from "../protocol/channel/params.js";
import type { ChannelState, FundedChannel } from "../protocol/channel/state.js";
import type { RevokedHtlcs } from "../protocol/channel/transitions/outcome.js";
import { toHex } from "../protocol/bytes.js";
import type { CommitmentNumber } from "../protocol/keys/shachain.js";
import type { Secret32 } from "../protocol/secret.js";
import { decodeMessage, type Message } from "../protocol/wire/messages.js";
import { printMessage } from "../json/messages.js";
import { type Finding, firstDifference } from "./finding.js";

/** One sight of a message: a file, a journal line, an outbox; `wire` is null where only its hash was kept. */
export interface Sight {
  readonly party: string;
  readonly seq: number;
  /** SHA256 of the bytes, in hex. */
  readonly hash: string;
  readonly wire: Uint8Array | null;
  readonly file: string;
}

/** A message of the record, as all its sights have it. */
export interface Recorded {
  readonly party: string;
  readonly seq: number;
  readonly hash: string;
  readonly wire: Uint8Array | null;
  readonly message: Message | null;
  readonly files: readonly string[];
}

/** A moment of a party's that some file shows: after so many messages sent and received, by their numbers. */
export interface Moment {
  readonly sent: number;
  readonly received: number;
  readonly shown: Shown;
}

export type Shown =
  /** A channel file, and the lines of the revoked file beside it; `sound`: nothing beside it contradicts it. */
  | { readonly kind: "state"; readonly file: string; readonly state: ChannelState; readonly revoked: readonly unknown[]; readonly sound: boolean }
  | { readonly kind: "journal"; readonly file: string; readonly line: number; readonly step: JournalStep };

/** What a journal line says of a step beside its messages. */
export interface JournalStep {
  readonly revision: number;
  readonly before: string | null;
  readonly after: string;
  readonly forceClosed: number | null;
  /** By a PSBT of a mutual close. */
  readonly closingSigned: boolean;
}

/** Where a party is taken up whose opening is not in the record: it was imported, or restored, or what came before was not kept. */
export interface Beginning {
  readonly file: string;
  readonly state: FundedChannel;
  readonly revoked: readonly RevokedHtlcs[];
  /** The secrets that it gave away last, as the peer's file has them. */
  readonly released: ReadonlyMap<CommitmentNumber, Secret32<"per_commitment">>;
}

/** All that the record has of one party. */
export interface PartyRecord {
  readonly name: string;
  /** Null where the record has its opening. */
  readonly beginning: Beginning | null;
  readonly messages: ReadonlyMap<number, Recorded>;
  /** In their order. */
  readonly moments: readonly Moment[];
  readonly limits: Limits | null;
  readonly fundingPsbt: string | null;
  /** By the number of the message, or else by its bytes, the oldest first. */
  readonly requests: { readonly bySeq: ReadonlyMap<number, string>; readonly byWire: readonly { readonly id: string; readonly wire: string }[] };
}

/** One party's messages, every sight of each compared with the others. */
export function messagesOf(
  party: string,
  sights: readonly Sight[],
): { readonly messages: ReadonlyMap<number, Recorded>; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const bySeq = grouped(sights, ({ seq }) => seq);
  const wires = new Map(sights.flatMap(({ hash, wire }) => (wire === null ? [] : [[hash, wire] as const])));
  const messages = new Map<number, Recorded>();
  for (const seq of [...bySeq.keys()].sort((a, b) => a - b)) {
    const seen = bySeq.get(seq) ?? [];
    const files = [...new Set(seen.map(({ file }) => file))];
    const hashes = grouped(seen, ({ hash }) => hash);
    const [first, other] = [...hashes.keys()].sort((a, b) => (hashes.get(b)?.length ?? 0) - (hashes.get(a)?.length ?? 0));
    if (first === undefined) continue;
    const wire = wires.get(first) ?? null;
    const message = wire === null ? null : decodeMessage(wire);
    if (other !== undefined) {
      const type = message?.type ?? null;
      findings.push({ at: { kind: "message", party, seq, type, files }, ...conflict(first, other, hashes, wires), kind: "conflict", code: null });
    }
    messages.set(seq, { party, seq, hash: first, wire, message, files });
  }
  return { messages, findings };
}

/** What two versions of one message differ in. */
function conflict(
  first: string,
  other: string,
  hashes: ReadonlyMap<string, readonly Sight[]>,
  wires: ReadonlyMap<string, Uint8Array>,
): Pick<Finding, "fact" | "expected" | "found"> {
  const named = (hash: string): string => [...new Set(hashes.get(hash)?.map(({ file }) => file))].join(", ");
  const [left, right] = [wires.get(first), wires.get(other)];
  if (left !== undefined && right !== undefined) {
    const difference = firstDifference(printMessage(decodeMessage(left)), printMessage(decodeMessage(right)));
    if (difference !== null) {
      return {
        fact: `${difference.path} is one thing in ${named(first)}, another in ${named(other)}`,
        expected: difference.expected,
        found: difference.found,
      };
    }
  }
  return {
    fact: `its bytes have one hash by ${named(first)}, another by ${named(other)}`,
    expected: first,
    found: right === undefined ? other : `${other} (${toHex(right)})`,
  };
}

export function grouped<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
