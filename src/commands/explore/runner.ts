import { sha256 } from "@noble/hashes/sha2.js";
import { parseStrict } from "../../json/strict.js";
import { toHex } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import { type PolicyCode, waivingUntil } from "../../protocol/policy/rule.js";
import { type Files, memoryFiles } from "../../store/memory-files.js";
import { type Answer, FOLDER, type Run } from "../../explore/party.js";
import type { CommandSpec, Report } from "../shared/command.js";
import { runInMemory } from "../shared/in-memory.js";

/** Loads a command by its name. Throws where there is none. */
export type Load = (name: string) => Promise<CommandSpec>;

/**
 * Runs commands as the program does, on files in memory. The rules of the tags in `waived` do not hold for them. One command at a time: a rule is
 * waived for whatever runs meanwhile. Nothing but its files and its call goes into a command, so each pair is run once.
 */
export function runner(load: Load, waived: readonly PolicyCode[]): Run {
  const commands = new Map<string, CommandSpec>();
  const answers = new Map<string, Answer>();
  return async (files, call) => {
    const key = `${contentsOf(files)} ${JSON.stringify(call)}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    let command = commands.get(call.command);
    if (command === undefined) commands.set(call.command, (command = await load(call.command)));
    const disk = memoryFiles(files);
    const answer = await attempt(waived.length > 0, async () => {
      const { args = [], flags = {}, stdin } = call;
      const report = await waivingUntil(waived, () => runInMemory(command, disk.fs, { args: [FOLDER, ...args], flags, stdin }, parseRemembering));
      return done(disk.files(), report);
    });
    answers.set(key, answer);
    return answer;
  };
}

/** `weakened`: where a rule is waived a command may meet what cannot be, and ends with an internal error like the program. */
async function attempt(weakened: boolean, act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LnError) return refused(error);
    if (!weakened) throw error;
    return { kind: "refused", code: "internal-error", message: String(error), details: {} };
  }
}

const contents = new WeakMap<Files, string>();
const hashes = new WeakMap<Uint8Array, string>();

/** What tells files apart: every name and every byte. */
function contentsOf(files: Files): string {
  let key = contents.get(files);
  if (key === undefined) {
    key = [...files]
      .map(([path, entry]) => (entry.kind === "folder" ? path : `${path}=${hashOf(entry.data)}`))
      .sort()
      .join();
    contents.set(files, key);
  }
  return key;
}

function hashOf(data: Uint8Array): string {
  let hash = hashes.get(data);
  if (hash === undefined) hashes.set(data, (hash = toHex(sha256(data))));
  return hash;
}

function done(files: Files, { document, parts = [] }: Report): Answer {
  return { kind: "done", files, document, parts: parts.map((part) => part.document) };
}

function refused({ code, message, details }: LnError): Answer {
  return { kind: "refused", code, message, details };
}

const REMEMBERED = 256;
const parsed = new Map<string, unknown>();

/** The same state is read by one command after the other. */
function parseRemembering(text: string, source: string): unknown {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const document = parseStrict(text, source);
  for (const oldest of parsed.size >= REMEMBERED ? parsed.keys() : []) {
    parsed.delete(oldest);
    break;
  }
  parsed.set(text, document);
  return document;
}
