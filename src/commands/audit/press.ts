import { revokedHtlcs, printChannel } from "../../json/channel-file.js";
import { encode } from "../../json/decode.js";
import { printKeysDocument } from "../../json/keys-file.js";
import { parseStrict } from "../../json/strict.js";
import { fromHex, type Signature } from "../../protocol/bytes.js";
import { isFunded } from "../../protocol/channel/state.js";
import { LnError } from "../../protocol/errors.js";
import { readWitnessSignature } from "../../protocol/script/assemble.js";
import type { Secret32 } from "../../protocol/secret.js";
import { parseTransaction } from "../../protocol/tx/parse.js";
import type { Stand } from "../../audit/replay.js";
import type { StandIns, Unfound } from "../../audit/stand-ins.js";
import { openStore } from "../../store/channel-store.js";
import { type Files, NO_FILES, memoryFiles } from "../../store/memory-files.js";
import { singlePaths } from "../../store/paths.js";
import type { CommandSpec, Document } from "../shared/command.js";
import { runInMemory } from "../shared/in-memory.js";

/** What a command printed in a moment, with the signatures that it could find among those at hand. */
export interface Impression {
  readonly document: Document;
  readonly parts: readonly Document[];
  readonly unfound: readonly Unfound[];
}

/** One run of a command. */
export interface Call {
  readonly command: string;
  readonly flags: Readonly<Record<string, string | true>>;
  /** Files that its options name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Those that may be what it signs. */
  readonly signatures: readonly Signature[];
}

const PATHS = singlePaths("/party/channel.json");

/**
 * Runs commands once more, each in a moment of a party's, on files in memory: the party's keys are stand-ins, and what they sign is looked up among the
 * signatures of the document that is checked.
 */
export class Press {
  private readonly files = new Map<Stand, Files>();
  private readonly commands = new Map<string, CommandSpec>();
  private readonly standIns: StandIns;

  constructor(standIns: StandIns) {
    this.standIns = standIns;
  }

  /** Null where the command refuses. */
  async print(stand: Stand, { command, flags, files = {}, signatures }: Call): Promise<Impression | null> {
    const disk = memoryFiles(new Map([...this.filesOf(stand), ...Object.entries(files).map(([path, text]) => [path, fileOf(text)] as const)]));
    const spec = await this.load(command);
    const named = { ...flags, channel: PATHS.channel, keys: PATHS.keys, ...("channelOut" in spec.flags ? { channelOut: "/after.json" } : {}) };
    const { result, unfound } = this.standIns.signing(signatures, () => runInMemory(spec, disk.fs, { args: [], flags: named }));
    try {
      const { document, parts = [] } = await result;
      return { document, parts: parts.map((part) => part.document), unfound };
    } catch (error) {
      if (error instanceof LnError) return null;
      throw error;
    }
  }

  /** Lets the party sign for what the peer's secret opens. */
  revoked({ keys }: Stand, given: Secret32<"per_commitment">): void {
    const { revocationBasepointSecret } = keys();
    if (revocationBasepointSecret !== null) this.standIns.revokes(revocationBasepointSecret, given);
  }

  private async load(name: string): Promise<CommandSpec> {
    const known = this.commands.get(name);
    if (known !== undefined) return known;
    // The registry names audit, too: it is asked once that runs
    const { REGISTRY } = await import("../registry.js");
    const entry = REGISTRY.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new LnError("usage-command", `there is no command ${name}`, { command: name });
    const spec = await entry.load();
    this.commands.set(name, spec);
    return spec;
  }

  private filesOf(stand: Stand): Files {
    const known = this.files.get(stand);
    if (known !== undefined) return known;
    const { state, revoked, keys } = stand;
    const lines = isFunded(state)
      ? revoked.map((line) => JSON.stringify(encode(revokedHtlcs, { ...line, fundingTxid: state.fundings[0].txid })))
      : [];
    const { fs } = memoryFiles(NO_FILES);
    const { text } = openStore(parseStrict, { fs, pid: 1, isAlive: () => false, posix: true }).next(undefined, printChannel(state));
    const files: Files = new Map([
      ...NO_FILES,
      ["/party", { kind: "folder" }],
      [PATHS.channel, fileOf(text)],
      [PATHS.keys, fileOf(JSON.stringify(printKeysDocument(keys())))],
      [PATHS.revoked, fileOf(lines.map((line) => `${line}\n`).join(""))],
    ]);
    this.files.set(stand, files);
    return files;
  }
}

function fileOf(text: string) {
  return { kind: "file", data: new TextEncoder().encode(text), mode: 0o600 } as const;
}

/** Every signature in the witnesses of transactions in hex; of what is none, nothing. */
export function signaturesOf(transactions: readonly string[]): readonly Signature[] {
  return transactions
    .flatMap((hex) => transactionOf(hex)?.ins ?? [])
    .flatMap(({ witness }) => witness.flatMap((element) => readWitnessSignature(element)?.signature ?? []));
}

export function transactionOf(hex: unknown): ReturnType<typeof parseTransaction> | null {
  if (typeof hex !== "string" || !/^(?:[0-9a-f]{2})+$/i.test(hex)) return null;
  try {
    return parseTransaction(fromHex(hex));
  } catch (error) {
    if (error instanceof LnError) return null;
    throw error;
  }
}
