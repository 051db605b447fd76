import { loadEcc } from "../src/ecc/load.js";
import { useEcc } from "../src/protocol/ecc.js";

/** As for the program: CHANKIT_ECC says which backend the tests run on, and nothing means native where it is there. `npm run check` runs both. */
useEcc(await loadEcc(process.env["CHANKIT_ECC"], { system: `${process.platform}-${process.arch}`, recording: true }));
