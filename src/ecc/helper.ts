import { parentPort, workerData } from "node:worker_threads";
import type { Ecc } from "../protocol/ecc.js";
import { type SharedWork, takePart } from "./shared-work.js";

/** What a helper is told when it is started: the backend of who starts it, and Node's name of platform and architecture. */
export interface HelperData {
  readonly backend: Ecc["name"];
  readonly system: string;
}

// What a thread runs that takes part in the work of another.
const { backend, system } = workerData as HelperData;
const loading: Promise<Ecc | null> =
  backend === "native" ? import("./native.js").then(({ loadNative }) => loadNative(system)) : import("./wasm.js").then(({ wasm }) => wasm);

parentPort?.on("message", (work: SharedWork) => {
  void loading.then((ecc) => {
    if (ecc !== null) takePart(ecc, work);
  });
});
