import type { Endpoint, Rpc } from "../../node/rpc.js";
import type { Store } from "../../store/channel-store.js";

/** All that a command sees of the world outside its arguments. */
export interface Context {
  readonly store: Store;
  /** Standard input, whole. Throws: usage-stdin-twice where it was read before. */
  readonly readStdin: () => string;
  /** Standard input as it comes, for what does not end. */
  readonly readStream: () => AsyncIterable<Uint8Array>;
  /** For a result that is not the report. */
  readonly writeStdout: (text: string) => void;
  /** The name of the command that runs. */
  readonly command: string;
  /** Where the report goes; undefined for standard output alone. */
  readonly output: string | undefined;
  /** Does what is still to be done when the program is interrupted; gives what takes that back. */
  readonly onInterrupt: (act: () => void) => () => void;
  /** Lets this many seconds go by. */
  readonly sleep: (seconds: number) => Promise<void>;
  /** Whether the report goes to standard output. */
  readonly outputIsStdout: boolean;
  /** How this program is called, as words of a command line. */
  readonly self: readonly string[];
  /** Secret: fresh randomness. Only `keygen` asks for it. */
  readonly entropy: (size: number) => Uint8Array;
  /** The environment's variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A node's JSON-RPC. */
  readonly connect: (endpoint: Endpoint) => Promise<Rpc>;
  /** Whether this program is the one that runs, so that it can be started again in a thread. */
  readonly mayStartThreads: boolean;
  /** A line for standard error. */
  readonly warn: (line: string) => void;
}

/** Web Crypto, which every Node has without loading anything. */
export const systemEntropy = (size: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(size));

export const sleep = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

/** The network's code is loaded by whoever asks a node. */
export const connectLazily = async (endpoint: Endpoint): Promise<Rpc> => (await import("../../node/rpc.js")).connect(endpoint);
