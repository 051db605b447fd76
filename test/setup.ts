import { wasm } from "../src/ecc/wasm.js";
import { useEcc } from "../src/protocol/ecc.js";

useEcc(wasm);
