import { sha256 } from "@noble/hashes/sha2.js";
import { printChannel, readChannel } from "../../src/json/channel-file.js";
import { parseStrict } from "../../src/json/strict.js";
import { bytes32, fromHex, toHex } from "../../src/protocol/bytes.js";
import { type FundedChannel, highestSigned, lowestUnreleased, requireFunded } from "../../src/protocol/channel/state.js";
import { opposite } from "../../src/protocol/side.js";
import type { CommitmentSpec, Htlc } from "../../src/protocol/tx/spec.js";
import { msat } from "../../src/protocol/units.js";
import { openStore } from "../../src/store/channel-store.js";
import type { Host } from "../../src/store/file-system.js";
import { partyPaths } from "../../src/store/paths.js";
import { hostOn } from "../store/faulty-host.js";
import { contentOf, type Disk, fileSystemOn } from "../store/memory-disk.js";
import type { Report } from "../../src/commands/shared/command.js";
import { ANCHORS, ARTICLE, type FlagTexts, OUTPOINT, SEEDS, type Terms, runCommand } from "./party.js";

export type Name = "alice" | "bob";

/** One command as a user gives it, and what running it a second time does. */
export interface Step {
  readonly party: Name;
  readonly command: string;
  /** After the party's folder. */
  readonly args: readonly string[];
  readonly flags: FlagTexts;
  readonly stdin?: string;
  /** `same`: prints the same again or says that it was done. `change`: makes another one. `once`: is refused, for it creates something. */
  readonly again: "same" | "change" | "once";
}

export const folderOf = (name: Name): string => `/${name}`;
export const otherThan = (name: Name): Name => (name === "alice" ? "bob" : "alice");

/** Where `-o /wire/` puts the messages. */
export const WIRE = "/wire/";

/** A healthy process. */
export function processOf(disk: Disk, pid: number): Host {
  return hostOn(fileSystemOn(disk), pid);
}

/** Runs a step as `chankit COMMAND PARTY … -o /wire/` does: what has a name of its own goes there as a file. */
export async function perform(host: Host, { party, command, args, flags, stdin }: Step): Promise<Report> {
  const report = await runCommand(command, [folderOf(party), ...args], flags, { host, ...(stdin === undefined ? {} : { stdin }) });
  if (report.fileName !== undefined) {
    const store = openStore(parseStrict, host);
    store.makeFolder(WIRE);
    store.writeOutput(WIRE + report.fileName, printed(report), "keep");
  }
  return report;
}

export function printed({ document }: Report): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A party's files, without what a killed process left unfinished. */
export function filesOf(disk: Disk, name: Name): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(contentOf(disk, folderOf(name))).filter(([path]) => !path.startsWith(".")));
}

function step(party: Name, command: string, args: readonly string[] = [], flags: FlagTexts = {}, again: Step["again"] = "same"): Step {
  return { party, command, args, flags, again };
}

const wire = (seq: number, by: Name, type: string): string => `${WIRE}${String(seq).padStart(4, "0")}-${by}-${type}.json`;

/** The same terms, each side beginning a journal. */
export const withJournals = ({ open, accept, ...terms }: Terms): Terms => ({
  ...terms,
  open: { ...open, journal: true },
  accept: { ...accept, journal: true },
});

/** Every command of an opening, in order. */
export function openingSteps({ open, accept }: Terms): readonly Step[] {
  return [
    ...(["alice", "bob"] as const).map((name): Step => ({ ...step(name, "keygen", [], { seed: "-" }, "once"), stdin: SEEDS[name] })),
    step("alice", "open-channel", [], open, "once"),
    step("bob", "accept-channel", [wire(1, "alice", "open_channel")], accept, "once"),
    step("alice", "create-funding", [wire(1, "bob", "accept_channel")], { outpoint: OUTPOINT }),
    step("bob", "sign-funding", [wire(2, "alice", "funding_created")]),
    step("alice", "release-funding", [wire(2, "bob", "funding_signed")]),
    step("alice", "channel-ready"),
    step("bob", "channel-ready"),
    step("bob", "receive", [wire(3, "alice", "channel_ready")]),
    step("alice", "receive", [wire(3, "bob", "channel_ready")]),
  ];
}

/** The steps of the article's twenty that change a state; `sent` is the number of messages that each has sent before. */
export function updateSteps(pay: FlagTexts = {}, sent = 3): readonly Step[] {
  return [
    step("alice", "pay", ["0.02btc"], pay, "requestId" in pay ? "same" : "change"),
    step("alice", "sign"),
    step("bob", "receive", [wire(sent + 1, "alice", "pay")]),
    step("bob", "verify-sig", [wire(sent + 2, "alice", "commitment_signed")]),
    step("bob", "make-revocation"),
    step("alice", "receive-revocation", [wire(sent + 1, "bob", "revoke_and_ack")]),
    step("bob", "sign"),
    step("alice", "verify-sig", [wire(sent + 2, "bob", "commitment_signed")]),
    step("alice", "make-revocation"),
    step("bob", "receive-revocation", [wire(sent + 3, "alice", "revoke_and_ack")]),
  ];
}

/** A round of payments the other way, everything taken in by `receive`. */
export function returnSteps(aliceSent: number, bobSent: number): readonly Step[] {
  return [
    step("bob", "pay", ["0.001btc"], { requestId: "back" }),
    step("alice", "receive", [wire(bobSent + 1, "bob", "pay")]),
    step("bob", "sign"),
    step("alice", "receive", [wire(bobSent + 2, "bob", "commitment_signed")]),
    step("alice", "make-revocation"),
    step("bob", "receive", [wire(aliceSent + 1, "alice", "revoke_and_ack")]),
    step("alice", "sign"),
    step("bob", "receive", [wire(aliceSent + 2, "alice", "commitment_signed")]),
    step("bob", "make-revocation"),
    step("alice", "receive", [wire(bobSent + 3, "bob", "revoke_and_ack")]),
  ];
}

/** A mutual close right after an opening, from the first shutdown until both hold the transaction. */
export function closeSteps(kind: "simple" | "negotiated"): readonly Step[] {
  const [offer, answer] = kind === "simple" ? (["closing_complete", "closing_sig"] as const) : (["closing_signed", "closing_signed"] as const);
  return [
    step("alice", "close", [], { address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" }),
    step("bob", "receive", [wire(4, "alice", "shutdown")]),
    step("bob", "close", [], { script: `0020${"bb".repeat(32)}` }),
    step("alice", "receive", [wire(4, "bob", "shutdown")]),
    step("alice", "close", [], { fee: "500sat" }),
    step("bob", "receive", [wire(5, "alice", offer)]),
    step("bob", "close"),
    step("alice", "receive", [wire(5, "bob", answer)]),
  ];
}

/** The same, each having what it signs written for a signer elsewhere first. */
export function closeByPsbtSteps(kind: "simple" | "negotiated"): readonly Step[] {
  const signs = ({ command }: Step, at: number): boolean => command === "close" && at >= 4;
  return closeSteps(kind).flatMap((one, at) => (signs(one, at) ? [{ ...one, flags: { ...one.flags, psbt: true } }, one] : [one]));
}

/** After the first two of updateSteps, whose messages were lost: both say where they are, Alice sends again what Bob lacks. */
export const REESTABLISH_STEPS: readonly Step[] = [
  step("alice", "reestablish", [], {}, "change"),
  step("bob", "reestablish", [], {}, "change"),
  step("alice", "reestablish", [wire(4, "bob", "channel_reestablish")]),
  step("bob", "reestablish", [wire(6, "alice", "channel_reestablish")]),
];

/** After the first ten of htlcSteps: Bob fails what Alice offered. */
export const FAIL_STEPS: readonly Step[] = [
  step("bob", "fail-htlc", ["0"], { requestId: "fail" }),
  step("alice", "receive", [wire(6, "bob", "update_fail_htlc")]),
];

const PREIMAGE = "07".repeat(32);

/** An HTLC of Alice's that Bob fulfils, a new feerate. */
export function htlcSteps(): readonly Step[] {
  const paymentHash = toHex(sha256(fromHex(PREIMAGE)));
  return [
    step("alice", "add-htlc", ["0.001btc"], { paymentHash, cltvExpiry: "500" }, "change"),
    step("bob", "receive", [wire(4, "alice", "update_add_htlc")]),
    step("alice", "sign"),
    step("bob", "receive", [wire(5, "alice", "commitment_signed")]),
    step("bob", "make-revocation"),
    step("alice", "receive", [wire(4, "bob", "revoke_and_ack")]),
    step("bob", "sign"),
    step("alice", "receive", [wire(5, "bob", "commitment_signed")]),
    step("alice", "make-revocation"),
    step("bob", "receive", [wire(6, "alice", "revoke_and_ack")]),
    { ...step("bob", "fulfill-htlc", ["0"], { preimage: "-", requestId: "fulfil" }), stdin: PREIMAGE },
    step("alice", "receive", [wire(6, "bob", "update_fulfill_htlc")]),
    step("alice", "update-fee", ["3000"], { requestId: "fee" }),
    step("bob", "receive", [wire(7, "alice", "update_fee")]),
    step("alice", "sign"),
    step("bob", "receive", [wire(8, "alice", "commitment_signed")]),
    step("bob", "make-revocation"),
    step("alice", "receive", [wire(7, "bob", "revoke_and_ack")]),
  ];
}

export const CLOSING_STEPS: readonly Step[] = [step("alice", "force-close"), step("bob", "force-close")];
/** The same for a signer elsewhere. */
export const PSBT_STEPS: readonly Step[] = (["alice", "bob"] as const).map((name) => step(name, "force-close", [], { psbt: true }));

export { ANCHORS, ARTICLE };

function storeOf(disk: Disk) {
  return openStore(parseStrict, processOf(disk, 1));
}

export function stateOn(disk: Disk, name: Name): FundedChannel {
  const paths = partyPaths(folderOf(name));
  return requireFunded(readChannel(storeOf(disk).load(paths, "look").document, paths.channel));
}

/** Puts two HTLCs, one each way, into the newest commitments of both, as add-htlc and a whole round of signatures would have. */
export function putHtlcs(disk: Disk): void {
  const htlcs = (mine: "local" | "remote"): readonly Htlc[] =>
    [0n, 0n].map((id, at) => ({
      id,
      offeredBy: at === 0 ? mine : opposite(mine),
      amountMsat: msat(20_000_000n + BigInt(at)),
      paymentHash: bytes32(new Uint8Array(32).fill(at + 1)),
      cltvExpiry: 800_000 + at,
    }));
  for (const name of ["alice", "bob"] as const) {
    const paths = partyPaths(folderOf(name));
    const alices = name === "alice" ? "local" : "remote";
    const withHtlcs = (spec: CommitmentSpec): CommitmentSpec => ({
      ...spec,
      balances: {
        ...spec.balances,
        [alices]: spec.balances[alices] - 20_000_000n,
        [opposite(alices)]: spec.balances[opposite(alices)] - 20_000_001n,
      },
      htlcs: htlcs(alices),
    });
    const store = storeOf(disk);
    const loaded = store.load(paths, "update");
    const state = requireFunded(readChannel(loaded.document, paths.channel));
    const [{ local, remote, ...funding }] = state.fundings;
    const changed: FundedChannel = {
      ...state,
      nextIds: { local: { ...state.nextIds.local, htlc: 1n }, remote: { ...state.nextIds.remote, htlc: 1n } },
      fundings: [
        {
          ...funding,
          local: { ...local, current: { ...local.current!, spec: withHtlcs(local.current!.spec) } },
          remote: { ...remote, current: { ...remote.current!, spec: withHtlcs(remote.current!.spec) } },
        },
      ],
    };
    store.save(paths, loaded, printChannel(changed), {
      marks: { lowestUnreleased: lowestUnreleased(state), highestSigned: highestSigned(state) },
    });
  }
}
