import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { expect, vi } from "vitest";
import { REGISTRY } from "../../src/commands/registry.js";
import type { Report } from "../../src/commands/shared/command.js";
import { type Context, connectLazily } from "../../src/commands/shared/context.js";
import { printChannel, readChannel } from "../../src/json/channel-file.js";
import { readKeysDocument } from "../../src/json/keys-file.js";
import { parseStrict } from "../../src/json/strict.js";
import { toHex } from "../../src/protocol/bytes.js";
import { type FundedChannel, highestSigned, lowestUnreleased, requireFunded } from "../../src/protocol/channel/state.js";
import { LnError } from "../../src/protocol/errors.js";
import type { PartyKeys } from "../../src/protocol/keys/party-keys.js";
import { perCommitmentSecret } from "../../src/protocol/keys/shachain.js";
import { openStore } from "../../src/store/channel-store.js";
import { type Host, nodeHost } from "../../src/store/file-system.js";
import { partyPaths } from "../../src/store/paths.js";
import { tempDir } from "./cli.js";
import { expectAsInSchema } from "./schemas.js";

// The first test of a file makes the parties of all: every step syncs to disk, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Options as they stand on a command line, under the names that the command gives them; true for one without a value, a list for one given again. */
export type FlagTexts = Readonly<Record<string, string | true | readonly string[]>>;

export interface RunOptions {
  /** What the command reads for `-`: text, or a document. */
  readonly stdin?: string | Report["document"];
  /** Whether the report would go to standard output. */
  readonly outputIsStdout?: boolean;
  /** The machine that it runs on, this one unless given. */
  readonly host?: Host;
  /** The environment, empty unless given. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `-o` names. */
  readonly output?: string;
  /** Takes a state that goes to standard output, or a report's lines. */
  readonly writeStdout?: (text: string) => void;
  /** What happens while the command waits. */
  readonly pause?: (seconds: number) => Promise<void>;
}

/** Runs a command in this process, on real files unless it is given others: its flags go through its own parsers. */
export async function runCommand(name: string, args: readonly string[], flags: FlagTexts = {}, options: RunOptions = {}): Promise<Report> {
  const entry = REGISTRY.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  const command = await entry.load();
  const unknown = Object.keys(flags).filter((flag) => !(flag in command.flags));
  if (unknown.length > 0) throw new Error(`${name} has no option ${unknown.join(", ")}`);
  const values = Object.fromEntries(
    Object.entries(command.flags).map(([flag, { parse, required }]) => {
      const text = flags[flag];
      if (text === undefined && required) throw new Error(`${name} needs ${flag}`);
      const given = text === undefined ? [] : typeof text === "object" ? text : [text === true ? "" : text];
      return [flag, given.reduce<unknown>((previous, one) => parse(one, previous), undefined)];
    }),
  );
  const report = await command.run(contextFor(name, options), args, values);
  expectAsInSchema(`${name}-output`, report.document);
  for (const part of report.parts ?? []) expectAsInSchema(`${name}-output`, part.document);
  return report;
}

function noStdout(): never {
  throw new Error("a state for standard output: only a process has one");
}

function neverPause(): never {
  throw new Error("a command waited: only some do");
}

function contextFor(command: string, options: RunOptions): Context {
  const { stdin, outputIsStdout = true, host = nodeHost(), env = {}, output, writeStdout = noStdout, pause = neverPause } = options;
  let read = false;
  return {
    store: openStore(parseStrict, host),
    readStdin: () => {
      if (read || stdin === undefined) throw new Error("nothing is piped in, or it was read before");
      read = true;
      return typeof stdin === "string" ? stdin : JSON.stringify(stdin);
    },
    readStream: () => Readable.from([typeof stdin === "string" ? Buffer.from(stdin) : Buffer.from(JSON.stringify(stdin))]),
    command,
    writeStdout: (text) => {
      if (command === "watch") for (const line of text.trim().split("\n")) expectAsInSchema("watch-output", JSON.parse(line));
      writeStdout(text);
    },
    output,
    onInterrupt: () => () => undefined,
    sleep: pause,
    outputIsStdout,
    self: ["chankit"],
    entropy: (size) => new Uint8Array(size).fill(9),
    env,
    connect: connectLazily,
    mayStartThreads: false,
    warn: (line) => {
      throw new Error(`unexpected warning: ${line}`);
    },
  };
}

/** Two parties: a folder each, and one for the messages between them. */
export interface Parties {
  readonly dir: string;
  readonly alice: string;
  readonly bob: string;
  readonly wire: string;
}

function partiesIn(dir: string): Parties {
  return { dir, alice: join(dir, "alice"), bob: join(dir, "bob"), wire: join(dir, "wire") };
}

/** The same files elsewhere, to go on from in another way. */
export function copyOf({ dir }: Pick<Parties, "dir">): Parties {
  const copy = tempDir();
  cpSync(dir, copy, { recursive: true });
  return partiesIn(copy);
}

/** A copy of one party's folder beside it, as a backup that is kept. */
export function backupOf(folder: string, name = `${basename(folder)}-backup`): string {
  const copy = join(folder, "..", name);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

const templates = new Map<string, Promise<Parties>>();

/** Parties as `build` leaves them, made once for each test file and copied for each test. */
export async function partiesAs(name: string, build: (parties: Parties) => Promise<unknown>): Promise<Parties> {
  let template = templates.get(name);
  if (template === undefined) {
    const parties = partiesIn(tempDir());
    template = build(parties).then(() => parties);
    templates.set(name, template);
  }
  return copyOf(await template);
}

/** Puts a message among those under way, as `-o wire/` does, and gives its path. */
export function post({ wire }: Parties, { document, fileName }: Report): string {
  if (fileName === undefined) throw new Error("a report without a file name of its own");
  mkdirSync(wire, { recursive: true });
  const path = join(wire, fileName);
  writeFileSync(path, JSON.stringify(document, null, 2));
  return path;
}

/** Runs a command that prints a message, and puts that under way. */
export async function send(parties: Parties, name: string, args: readonly string[], flags: FlagTexts = {}): Promise<string> {
  return post(parties, await runCommand(name, args, flags));
}

/** A document as JSON.parse reads it, to be changed by a test. */
export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

/** A document without some of its keys. */
export function without(document: Readonly<Record<string, unknown>>, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}

/** A message with some fields changed, and without the `wire` form that would contradict them. */
export function altered(path: string, changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...without(readJson(path), "wire"), ...changes };
}

/** How far an opening has come: what was done last. */
export const OPENING = ["keys", "proposed", "accepted", "created", "signed", "released", "open"] as const;
export type Opening = (typeof OPENING)[number];

/** The outpoint of the article's sample transaction. */
export const OUTPOINT = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0";

/** What each side demands when it opens a channel. */
export interface Terms {
  /** The funding output, the article's unless given. */
  readonly outpoint?: string;
  readonly open: FlagTexts;
  readonly accept: FlagTexts;
}

/** The article's channel: 0.10 BTC of Alice's, no fees. */
export const ARTICLE: Terms = {
  open: { funding: "0.1btc", channelType: "static_remotekey", feerate: "0", minFeerate: "0" },
  accept: { minFeerate: "0" },
};

/** A channel that pays a fee and has anchors, both sides funded. */
export const ANCHORS: Terms = { open: { funding: "0.1btc", push: "0.04btc", channelType: "anchors", feerate: "2500" }, accept: {} };

/** The same where commitments pay no fee. */
export const ZERO_FEE: Terms = { open: { funding: "0.1btc", push: "0.04btc", channelType: "zero_fee_commitments" }, accept: {} };

export const SEEDS = { alice: "01".repeat(32), bob: "02".repeat(32) } as const;

/** Alice opens a channel to Bob, as far as `until`. */
export async function openChannel(p: Parties, { open, accept, outpoint = OUTPOINT }: Terms, until: Opening = "open"): Promise<void> {
  const steps: Readonly<Record<Opening, () => Promise<unknown>>> = {
    keys: async () => {
      for (const party of ["alice", "bob"] as const) await runCommand("keygen", [p[party]], { seed: "-" }, { stdin: SEEDS[party] });
    },
    proposed: () => send(p, "open-channel", [p.alice], open),
    accepted: () => send(p, "accept-channel", [p.bob, join(p.wire, "0001-alice-open_channel.json")], accept),
    created: () => send(p, "create-funding", [p.alice, join(p.wire, "0001-bob-accept_channel.json")], { outpoint }),
    signed: () => send(p, "sign-funding", [p.bob, join(p.wire, "0002-alice-funding_created.json")]),
    released: () => runCommand("release-funding", [p.alice, join(p.wire, "0002-bob-funding_signed.json")]),
    open: async () => {
      await runCommand("receive", [p.bob, await send(p, "channel-ready", [p.alice])]);
      await runCommand("receive", [p.alice, await send(p, "channel-ready", [p.bob])]);
    },
  };
  for (const step of OPENING.slice(0, OPENING.indexOf(until) + 1)) await steps[step]();
}

/** Alice and Bob with a channel opened as far as `until`. */
export function parties(terms: Terms = ARTICLE, until: Opening = "open"): Promise<Parties> {
  return partiesAs(JSON.stringify({ terms, until }), (made) => openChannel(made, terms, until));
}

/** The files of the twenty steps: each party's messages go on counting from the opening's. */
export const ARTICLE_MESSAGES = {
  pay: "0004-alice-pay.json",
  aliceSigned: "0005-alice-commitment_signed.json",
  bobRevoked: "0004-bob-revoke_and_ack.json",
  bobSigned: "0005-bob-commitment_signed.json",
  aliceRevoked: "0006-alice-revoke_and_ack.json",
} as const;

/** What is done in each of the article's twenty steps; those that are a file's way from one to the other do nothing here. */
export const TWENTY_STEPS: readonly ((p: Parties) => Promise<unknown>)[] = [
  (p) => send(p, "pay", [p.alice, "0.02btc"]),
  (p) => send(p, "sign", [p.alice]),
  () => Promise.resolve(),
  (p) => runCommand("receive", [p.bob, join(p.wire, ARTICLE_MESSAGES.pay)]),
  (p) => runCommand("build-commitment", [p.bob], { owner: "local" }),
  (p) => runCommand("verify-sig", [p.bob, join(p.wire, ARTICLE_MESSAGES.aliceSigned)], { dryRun: true }),
  (p) => runCommand("verify-sig", [p.bob, join(p.wire, ARTICLE_MESSAGES.aliceSigned)]),
  (p) => send(p, "make-revocation", [p.bob]),
  () => Promise.resolve(),
  (p) => runCommand("receive-revocation", [p.alice, join(p.wire, ARTICLE_MESSAGES.bobRevoked)]),
  (p) => runCommand("build-commitment", [p.bob], { owner: "remote" }),
  (p) => send(p, "sign", [p.bob]),
  () => Promise.resolve(),
  () => Promise.resolve(),
  (p) => runCommand("build-commitment", [p.alice], { owner: "local" }),
  (p) => runCommand("verify-sig", [p.alice, join(p.wire, ARTICLE_MESSAGES.bobSigned)], { dryRun: true }),
  (p) => runCommand("verify-sig", [p.alice, join(p.wire, ARTICLE_MESSAGES.bobSigned)]),
  (p) => send(p, "make-revocation", [p.alice]),
  () => Promise.resolve(),
  (p) => runCommand("receive-revocation", [p.bob, join(p.wire, ARTICLE_MESSAGES.aliceRevoked)]),
];

/** The article's channel after one of its steps; 0 is the opening. */
export async function afterStep(step: number): Promise<Parties> {
  return partiesAs(`step ${step}`, async ({ dir }) => {
    const before = step === 0 ? await parties() : await afterStep(step - 1);
    if (step > 0) await TWENTY_STEPS[step - 1]!(before);
    cpSync(before.dir, dir, { recursive: true });
  });
}

/** The files of one message of the twenty steps. */
export function messageOf({ wire }: Parties, name: keyof typeof ARTICLE_MESSAGES): string {
  return join(wire, ARTICLE_MESSAGES[name]);
}

/** A party's state as its file holds it. */
export function stateOf(folder: string): FundedChannel {
  const { channel } = partyPaths(folder);
  return requireFunded(readChannel(readJson(channel), channel));
}

/** Changes a party's state through the store, as a command would: so its highwater file vouches for the new one. */
export function editState(folder: string, edit: (state: FundedChannel) => FundedChannel): void {
  const store = openStore(parseStrict);
  const paths = partyPaths(folder);
  const loaded = store.load(paths, "update");
  const state = edit(requireFunded(readChannel(loaded.document, paths.channel)));
  const signed = highestSigned(state);
  store.save(paths, loaded, printChannel(state), { marks: { lowestUnreleased: lowestUnreleased(state), highestSigned: signed < 0 ? null : signed } });
}

/** Every file and folder below `dir` with its mode and, for a file, the hash of its bytes. */
export function fingerprint(dir: string): Readonly<Record<string, string>> {
  const entries = readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    entries.map((name) => {
      const path = join(dir, name);
      const stats = statSync(path);
      const content = stats.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "folder";
      return [name, `${stats.mode.toString(8)} ${content}`];
    }),
  );
}

/** A party's keys. */
export function keysOf(folder: string): PartyKeys {
  const { keys } = partyPaths(folder);
  return readKeysDocument(readJson(keys), keys);
}

/** In hex, everything that a party must keep to itself: what its keys file holds, and per-commitment secrets that follow from the seed. */
export function secretsOf(folder: string): readonly string[] {
  const held = Object.values(readJson(partyPaths(folder).keys)).filter(
    (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
  ) as string[];
  const seed = keysOf(folder).perCommitmentSeed;
  const derived = seed === null ? [] : Array.from({ length: 8 }, (_, number) => toHex(perCommitmentSecret(seed, number).reveal()));
  return [...held, ...derived];
}

/** The LnError that `action` ends in; anything else fails the test. */
export async function refusal(action: () => Promise<unknown>): Promise<LnError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof LnError) return error;
    throw error;
  }
  throw new Error("not refused");
}

/** The refusal that `action` ends in, after making sure that it changed no file and told no secret of either party. */
export async function refusedAsIs(p: Parties, action: () => Promise<unknown>): Promise<LnError> {
  const before = fingerprint(p.dir);
  const error = await refusal(action);
  expect(fingerprint(p.dir), "no file is touched").toEqual(before);
  expectNoSecret(p, `${error.message} ${JSON.stringify(error.details)}`);
  return error;
}

export function expectNoSecret(p: Parties, text: string): void {
  const told = [p.alice, p.bob].flatMap(secretsOf).filter((secret) => text.toLowerCase().includes(secret));
  expect(told, "no secret is told").toEqual([]);
}
