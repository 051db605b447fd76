/** The protocol core as a library: pure, synchronous, no I/O. Unstable until 1.0. */
export * from "./protocol/bytes.js";
export * from "./protocol/ecc.js";
export * from "./protocol/errors.js";
export * from "./protocol/secret.js";
export * from "./protocol/side.js";
export * from "./protocol/units.js";
