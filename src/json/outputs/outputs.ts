import type { Codec } from "../codec.js";
import { LEAVE_OUTPUTS } from "./leave.js";
import { LOOK_OUTPUTS } from "./look.js";
import { UPDATE_OUTPUTS } from "./update.js";

/** What each command prints. */
export const OUTPUTS: Readonly<Record<CommandWithOutput, () => Codec<unknown>>> = { ...UPDATE_OUTPUTS, ...LEAVE_OUTPUTS, ...LOOK_OUTPUTS };
export type CommandWithOutput = keyof typeof UPDATE_OUTPUTS | keyof typeof LEAVE_OUTPUTS | keyof typeof LOOK_OUTPUTS;
