import { dirname } from "node:path";
import { LnError } from "../protocol/errors.js";
import { createFile, makeFolder, readIfThere, readText } from "./atomic-file.js";
import { refusal, systemCode } from "./failures.js";
import type { Host } from "./file-system.js";
import { parseObject, type JsonObject, type Parse } from "./state.js";

/** For the owner alone. */
const KEYS_MODE = 0o600;

/** A keys file, with secrets in it, and what its reader should be told. */
export interface Keys {
  readonly document: JsonObject;
  readonly warnings: readonly string[];
}

/** Writes secrets. Whole or not at all, and never over others: what is lost with an older file is money. Throws: file-exists, file-not-durable. */
export function createKeys(host: Host, path: string, document: JsonObject): void {
  makeFolder(host, dirname(path));
  if (!createWhole(host, path, `${JSON.stringify(document, null, 2)}\n`)) {
    throw new LnError("file-exists", `${path} exists, and keys are never overwritten`, { path });
  }
}

/** Secret in: the text. False where there are keys. Throws: file-not-durable when they are in place nevertheless. */
function createWhole(host: Host, path: string, text: string): boolean {
  try {
    return createFile(host, path, text, KEYS_MODE);
  } catch (error) {
    const made = systemCode(error) !== undefined && readIfThere(host, path) === text;
    throw made ? refusal(error, "file-not-durable", path, "is written, but may not survive a power failure") : error;
  }
}

/** Reads secrets. `strict` refuses a file that others may read, instead of warning. Throws: file-mode, file-missing, file-unreadable. */
export function readKeys(host: Host, parse: Parse, path: string, strict: boolean): Keys {
  const text = readText(host, path);
  const warnings = host.posix ? modeFault(path, host.fs.statSync(path).mode & 0o777) : [];
  const [warning] = warnings;
  if (strict && warning !== undefined) throw new LnError("file-mode", warning, { path });
  return { document: parseObject(parse, text, path), warnings };
}

function modeFault(path: string, mode: number): readonly string[] {
  if ((mode & ~KEYS_MODE) === 0) return [];
  return [`${path} holds secrets and has mode ${mode.toString(8).padStart(4, "0")}: chmod 600 ${path}`];
}
