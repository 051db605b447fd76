import { sha256 } from "@noble/hashes/sha2.js";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { printMessage, readMessage } from "../../src/json/messages.js";
import { parseStrict } from "../../src/json/strict.js";
import { bytes32, toHex } from "../../src/protocol/bytes.js";
import { LnError } from "../../src/protocol/errors.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { type Message, encodeMessage } from "../../src/protocol/wire/messages.js";
import { drawFrom } from "../model/random.js";
import { changedAt, leaves } from "../support/changed-leaf.js";
import { type Audited, type RunFiles, allRuns, audited } from "../support/run-folders.js";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

/** How many bytes of each run are changed, one at a time; and in how many messages one value, JSON and wire together. */
const BYTES = Number(process.env["CHANKIT_AUDIT_BYTES"] ?? 60);
/** Folders of runs beside those made here, as `chankit demo`'s scripts leave them; colons between. */
const FOLDERS = (process.env["CHANKIT_AUDIT_FOLDERS"] ?? "").split(":").filter((folder) => folder !== "");

const runs: readonly (readonly [string, RunFiles])[] = [...(await allRuns()), ...FOLDERS.map((folder) => [folder, filesIn(folder)] as const)];

function filesIn(folder: string): RunFiles {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /[.](json|ndjson)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const MESSAGE = /(^|[/])(\d{4})-([a-z]+)-([a-z_]+)[.]json$/;

/** The files whose every meaning the audit answers for: messages, channel files, what stands beside these, journals. */
const isAudited = (path: string): boolean =>
  MESSAGE.test(path) || /(^|[/])(channel[.]json|highwater[.]json|revoked[.]ndjson|journal[.]ndjson)$/.test(path);

/** Where the audit says the first divergence is. */
function places({ findings }: Audited): readonly string[] {
  return findings.map(({ message, journal, file }) =>
    message !== undefined ? `${message.party} ${message.seq}` : journal !== undefined ? `${journal.file}:${journal.line}` : (file ?? ""),
  );
}

/** What must be named where a byte of a file was changed: the message by its sender and number, the journal's line, or the party's file. */
function expectedPlace(path: string, text: string, at: number): readonly string[] {
  const [, , number, party] = MESSAGE.exec(path) ?? [];
  if (number !== undefined && party !== undefined) return [`${party} ${Number(number)}`];
  if (path.endsWith("journal.ndjson")) {
    const line = text.slice(0, at).split("\n").length;
    // A line that is torn off at its end is no line any more: what is missing then shows in the state beside it, or in the next line
    return [`${path}:${line}`, `${path}:${line - 1}`, path];
  }
  return [path.replace(/(highwater[.]json|revoked[.]ndjson)$/, "channel.json"), path];
}

/**
 * Whether a text says the same as another. Two things are without meaning: how JSON is laid out (whitespace, escapes), and in messages the case of a
 * hex digit, which is read either way; in a party's files that is another text, and another hash.
 */
function saysTheSame(path: string, before: string, after: string): boolean {
  try {
    if (MESSAGE.test(path) && before.toLowerCase() === after.toLowerCase()) {
      const [left, right] = [before, after].map((text) => readMessage(parseStrict(text, path), path));
      return left!.seq === right!.seq && toHex(left!.wire) === toHex(right!.wire);
    }
    if (path.endsWith(".ndjson")) {
      const [left, right] = [before, after].map((text) => text.split("\n"));
      return left!.length === right!.length && left!.every((line, at) => sameJson(line, right![at]!));
    }
    return sameJson(before, after);
  } catch (error) {
    if (error instanceof LnError) return false;
    throw error;
  }
}

function sameJson(before: string, after: string): boolean {
  if (before.trim() === "" || after.trim() === "") return before.trim() === after.trim();
  return JSON.stringify(parseStrict(before, "before")) === JSON.stringify(parseStrict(after, "after"));
}

describe.each(runs)("one byte changed in a file of %s", (name, whole) => {
  test(`is found where it is, ${BYTES} times`, async () => {
    const paths = Object.keys(whole).filter(isAudited);
    const draw = drawFrom(name.length * 7919 + 1);
    let meaningful = 0;
    for (let trial = 0; trial < BYTES; trial++) {
      const path = paths[draw.below(paths.length)]!;
      const text = whole[path]!;
      const at = draw.below(text.length);
      const other = String.fromCharCode(32 + draw.below(95));
      if (other === text[at]) continue;
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      const told = await audited({ ...whole, [path]: changed });
      const about = `trial ${trial}: ${path}, byte ${at}: ${JSON.stringify(text[at])} → ${JSON.stringify(other)} in …${text.slice(Math.max(0, at - 40), at + 40)}…`;
      if (saysTheSame(path, text, changed)) {
        expect(told.findings, about).toEqual([]);
        continue;
      }
      meaningful++;
      expect(told.verdict, about).toBe("diverges");
      const allowed = expectedPlace(path, text, at);
      expect(
        places(told).some((place) => allowed.includes(place)),
        `${about}\n${JSON.stringify(told.findings, null, 1)}`,
      ).toBe(true);
    }
    expect(meaningful).toBeGreaterThan(BYTES / 2);
  });
});

/** Another value of the same kind. */
function otherValue(value: unknown, below: (limit: number) => number): unknown {
  if (typeof value === "bigint") return value === 0n ? 1n : below(2) === 0 ? value + 1n : value - 1n;
  if (typeof value === "number") return value === 0 ? 1 : value - 1;
  if (value instanceof Secret32) return new Secret32(bytes32(flipped(value.reveal(), below)));
  if (value instanceof Uint8Array) return flipped(value, below);
  if (Array.isArray(value)) {
    const at = below(value.length);
    return value.map((element: unknown, index) => (index === at ? otherValue(element, below) : element));
  }
  return undefined;
}

/** One bit is another, not one that makes a point of what is none. */
function flipped(bytes: Uint8Array, below: (limit: number) => number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const at = 1 + below(Math.max(1, bytes.length - 1));
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << below(8));
  return changed;
}

/**
 * Fields whose value nothing in the channel depends on, so that by the messages alone no value is better than another: bytes carried for others,
 * figures that bind only at their limit, and a point that is used later than the run goes.
 */
const FREE: Readonly<Record<string, readonly string[]>> = {
  open_channel: ["dustLimitSatoshis", "maxHtlcValueInFlightMsat", "channelReserveSatoshis", "htlcMinimumMsat", "maxAcceptedHtlcs"],
  accept_channel: ["dustLimitSatoshis", "maxHtlcValueInFlightMsat", "channelReserveSatoshis", "htlcMinimumMsat", "maxAcceptedHtlcs", "minimumDepth"],
  update_add_htlc: ["onionRoutingPacket"],
  update_fail_htlc: ["reason"],
  update_fail_malformed_htlc: ["sha256OfOnion", "failureCode"],
  revoke_and_ack: ["nextPerCommitmentPoint"],
};

/** The second point is used by the first commitment_signed, if there is one. */
function isFree({ type }: Message, field: string, files: RunFiles): boolean {
  if (type === "channel_ready") return !Object.keys(files).some((path) => path.includes("commitment_signed"));
  return FREE[type]?.includes(field) === true;
}

/** Fields that show what is wrong with them at once; others may only show in what comes after. */
const AT_ONCE = [
  "signature",
  "htlcSignatures",
  "perCommitmentSecret",
  "channelId",
  "id",
  "paymentPreimage",
  "nextCommitmentNumber",
  "nextRevocationNumber",
  "yourLastPerCommitmentSecret",
  "closerOutputOnly",
  "closerAndCloseeOutputs",
  "feeSatoshis",
  "locktime",
];

describe.each(runs)("one value changed in a message of %s", (name, whole) => {
  test("JSON and wire alike, is found at that message by what others hold of it, and by the messages alone there or after it", async () => {
    const draw = drawFrom(name.length * 104729 + 5);
    const below = (limit: number): number => draw.below(limit);
    const messages = Object.entries(whole).filter(([path]) => MESSAGE.test(path));
    const alone: RunFiles = Object.fromEntries(messages);
    // Without them what is left must agree, or a finding proves nothing
    const complete = (await audited(alone)).verdict === "consistent";
    for (const [path, text] of messages) {
      const read = readMessage(parseStrict(text, path), path);
      const fields: readonly (readonly [string, unknown])[] = Object.entries(read.message).filter(
        ([field, value]) => field !== "type" && otherValue(value, () => 0) !== undefined,
      );
      const [field, value] = fields[below(fields.length)]!;
      const message = { ...read.message, [field]: otherValue(value, below) };
      const changed = JSON.stringify(printMessage(message, read.seq));
      if (toHex(sha256(encodeMessage(message))) === toHex(sha256(read.wire))) continue;
      const [, , number, party] = MESSAGE.exec(path) ?? [];
      const about = `${path}: ${field}`;

      const withOthers = await audited({ ...whole, [path]: changed });
      expect(places(withOthers), about).toContain(`${party} ${Number(number)}`);

      if (!complete || isFree(read.message, field, alone)) continue;
      const byMessages = await audited({ ...alone, [path]: changed });
      expect(byMessages.verdict, about).not.toBe("consistent");
      if (AT_ONCE.includes(field))
        expect(places(byMessages), `${about}\n${JSON.stringify(byMessages.findings)}`).toContain(`${party} ${Number(number)}`);
    }
  });
});

/**
 * What a channel file says that no message shows: its own count and the hash of the state before it, which the journal answers for; what its party accepts of
 * others; its name; the point that it has not announced yet.
 */
const PRIVATE = /^(revision|previous_state_hash|party|limits[.].*|own_points[.]2[.]point|messages[.]requests[.].*[.]id)$/;

describe.each(runs)("a channel file of %s whose seal is made anew", (name, whole) => {
  test("is found in every value that a message shows", async () => {
    let forgeries = 0;
    for (const path of Object.keys(whole).filter((one) => /(^|[/])channel[.]json$/.test(one))) {
      const document = JSON.parse(whole[path]!) as unknown;
      const folder = path.replace(/channel[.]json$/, "");
      // The party's journals and highwater files would tell at once; the peer's journal stays, where messages are in no file
      const [party = ""] = folder.split(/[-/]/);
      const seal = (one: string): boolean => one.startsWith(party) && /(highwater[.]json|journal[.]ndjson)$/.test(one);
      const unsealed = Object.fromEntries(Object.entries(whole).filter(([one]) => !seal(one)));
      if ((await audited(unsealed)).verdict !== "consistent") continue;
      forgeries++;
      for (const leaf of leaves(document)) {
        const forged = changedAt(document, leaf);
        if (PRIVATE.test(leaf.join(".")) || JSON.stringify(forged) === JSON.stringify(document)) continue;
        const { verdict, findings } = await audited({ ...unsealed, [path]: JSON.stringify(forged) });
        expect({ leaf: leaf.join("."), verdict, some: findings.length > 0 }).toEqual({ leaf: leaf.join("."), verdict: "diverges", some: true });
      }
    }
    // A revocation that was piped on is in the receiver's journal alone, which goes with the seal
    if (!FOLDERS.includes(name)) expect(forgeries).toBeGreaterThan(0);
  });
});
