import { scureMusig2 } from "../../src/ecc/musig2.js";
import { useMusig2 } from "../../src/protocol/musig2.js";

/* Importing this gives the core what it needs for taproot channels, as commands that meet one do. */
useMusig2(scureMusig2);
