import { LnError, type ErrorCode, type ErrorDetails } from "../protocol/errors.js";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EBUSY: "in use",
  EDQUOT: "the disk quota is used up",
  EIO: "input/output error",
  EISDIR: "it is a folder",
  ELOOP: "symbolic links in a circle",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "no such folder",
  ENOSPC: "no space left on the disk",
  ENOTDIR: "a part of the path is no folder",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
};

/** The code of an error of the operating system (`ENOSPC`), undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "errno" in error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What `look` finds, or undefined where there is no such file. */
export function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Runs `act`; an error of the operating system comes out as the refusal `code` about `path`, any other as it is. */
export function refusing<T>(code: ErrorCode, path: string, fact: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refusal(error, code, path, fact);
  }
}

export function refusal(error: unknown, code: ErrorCode, path: string, fact: string, more: ErrorDetails = {}): unknown {
  const system = systemCode(error);
  if (system === undefined) return error;
  return new LnError(code, `${path} ${fact}: ${REASONS[system] ?? "the system says"} (${system})`, { path, system, ...more });
}
