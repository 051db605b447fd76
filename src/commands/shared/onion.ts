import { fromHex } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import type { Context } from "./context.js";
import { readInput } from "./party.js";

/** BOLT 4 (Packet Structure). */
const ONION_BYTES = 1366;

/** An onion packet as hex in a file, opaque to us; zeros where none is given. Throws: input-onion, file-…. */
export function onionOf(ctx: Context, path: string | undefined): Uint8Array {
  if (path === undefined) return new Uint8Array(ONION_BYTES);
  const content = readInput(ctx, path).trim();
  if (!/^[0-9a-fA-F]*$/.test(content) || content.length !== 2 * ONION_BYTES) {
    throw new LnError("input-onion", `${path}: an onion packet is ${ONION_BYTES} bytes in hex`, { source: path, characters: content.length });
  }
  return fromHex(content);
}
