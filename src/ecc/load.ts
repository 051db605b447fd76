import type { Ecc } from "../protocol/ecc.js";
import { LnError } from "../protocol/errors.js";

/**
 * V8 would begin to optimise the WebAssembly code in the midst of a handful of signatures, which costs more than it gives. Must be said before
 * the module is compiled.
 */
const NO_TIERING = "--wasm-tiering-budget=1000000000";

interface Surroundings {
  /** Node's name of platform and architecture: `linux-x64`. */
  readonly system: string;
  /** While the build records bytecode the flags stay as they are: V8 takes bytecode only under the flags that it was made under. */
  readonly recording: boolean;
}

/** What CHANKIT_ECC asks for: `wasm`, `native`, or nothing (native where it is there). Throws: usage-ecc. */
export async function loadEcc(asked: string | undefined, { system, recording }: Surroundings): Promise<Ecc> {
  if (asked !== undefined && asked !== "wasm" && asked !== "native") {
    throw new LnError("usage-ecc", `CHANKIT_ECC is ${JSON.stringify(asked)}, not wasm or native`, { value: asked });
  }
  if (asked !== "wasm") {
    const { loadNative } = await import("./native.js");
    const native = loadNative(system);
    if (native !== null) return native;
    if (asked === "native")
      throw new LnError("usage-ecc", "CHANKIT_ECC asks for the native backend, which is not there: npm install secp256k1", { value: asked });
  }
  if (!recording) (await import("node:v8")).setFlagsFromString(NO_TIERING);
  return (await import("./wasm.js")).wasm;
}
