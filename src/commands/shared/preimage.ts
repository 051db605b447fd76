import { type Bytes32, bytes32, fromHex } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import type { Context } from "./context.js";
import { readInput } from "./load-party.js";

/** Secret until it is sent. Throws: input-preimage; the text is never repeated. */
export function readPreimage(ctx: Context, path: string): Bytes32 {
  const content = readInput(ctx, path).trim();
  if (!/^[0-9a-fA-F]{64}$/.test(content))
    throw new LnError("input-preimage", `${path}: a preimage is 32 bytes in hex, alone in its file`, { source: path });
  return bytes32(fromHex(content));
}
