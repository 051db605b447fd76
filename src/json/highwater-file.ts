import { literal, nullable } from "./codec.js";
import { fields } from "./fields.js";
import { bytes32, commitmentNumber, u53 } from "./primitives.js";

export const HIGHWATER_FORMAT = "chankit-highwater";
export const HIGHWATER_VERSION = 1;

/** `highwater.json`: which state was last in place when something could leave the party, and how far it had committed itself. */
export const highwaterFile = fields({
  format: literal(HIGHWATER_FORMAT),
  version: literal(HIGHWATER_VERSION),
  revision: u53,
  state_hash: bytes32,
  lowest_unreleased: commitmentNumber,
  highest_signed: nullable(commitmentNumber),
});
