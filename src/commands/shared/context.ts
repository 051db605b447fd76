import { randomBytes } from "node:crypto";
import type { Store } from "../../store/channel-store.js";

/** All that a command sees of the world outside its arguments. */
export interface Context {
  readonly store: Store;
  /** Standard input, whole. Throws: usage-stdin-twice where it was read before. */
  readonly readStdin: () => string;
  /** Whether the report goes to standard output. */
  readonly outputIsStdout: boolean;
  /** How this program is called, as words of a command line. */
  readonly self: readonly string[];
  /** Secret: fresh randomness. Only `keygen` asks for it. */
  readonly entropy: (size: number) => Uint8Array;
  /** A line for standard error. */
  readonly warn: (line: string) => void;
}

export const systemEntropy = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
