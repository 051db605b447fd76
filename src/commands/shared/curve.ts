import { type Helper, onAllCores } from "../../ecc/all-cores.js";
import type { HelperData } from "../../ecc/helper.js";
import { loadEcc } from "../../ecc/load.js";
import { type Ecc, useEcc } from "../../protocol/ecc.js";
import { ownProgram } from "./io.js";

/** Node's name of platform and architecture. */
const SYSTEM = `${process.platform}-${process.arch}`;
/** Whether the build records bytecode. */
const RECORDING = process.env["CHANKIT_RECORD_BYTECODE"] !== undefined;
/** What starts the program as a helper of the curve, in a thread: `start.cts` knows it. */
const HELPER = "--curve-helper";

/** Hands the core the backend that CHANKIT_ECC asks for, and threads for what is much. Throws: usage-ecc. */
export async function useCurve(): Promise<void> {
  const ecc = await loadEcc(process.env["CHANKIT_ECC"], { system: SYSTEM, recording: RECORDING });
  useEcc({ ...ecc, ...onAllCores(ecc, startHelpers) });
}

/** Hands the core MuSig2, which only taproot channels ask for. */
export async function useMusig2Library(): Promise<void> {
  const [{ scureMusig2 }, { useMusig2 }] = await Promise.all([import("../../ecc/musig2.js"), import("../../protocol/musig2.js")]);
  useMusig2(scureMusig2);
}

/** Threads are seldom worth it: what they need is loaded when they are. */
function startHelpers(backend: Ecc["name"]): readonly Helper[] {
  const { Worker, isMainThread } = process.getBuiltinModule("node:worker_threads");
  // Who is one of many threads has its core, and no other
  const most = isMainThread ? process.getBuiltinModule("node:os").availableParallelism() - 1 : 0;
  return Array.from({ length: most }, () => {
    const worker = new Worker(ownProgram(), { argv: [HELPER], workerData: { backend, system: SYSTEM } satisfies HelperData });
    // A thread that dies is not waited for
    worker.on("error", () => undefined);
    worker.unref();
    return worker;
  });
}
