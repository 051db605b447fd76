import { LnError } from "../protocol/errors.js";
import { SHELLS, type Shell, outlineOf } from "./completion/outline.js";
import { scriptFor } from "./completion/scripts.js";
import { REGISTRY } from "./registry.js";
import { defineCommand } from "./shared/command.js";

export const command = defineCommand({
  name: "completion",
  summary: "completion for bash, zsh or fish",
  description: "Prints a script with which the shell completes commands, options, their values, party folders, schema names and tags.",
  args: [{ syntax: "<shell>", help: SHELLS.join(", ") }],
  flags: {},
  examples: [
    'eval "$(chankit completion bash)"                              # in ~/.bashrc',
    "chankit completion zsh > ~/.zfunc/_chankit                      # a folder in fpath",
    "chankit completion fish > ~/.config/fish/completions/chankit.fish",
  ],
  curve: false,
  exits: [],
  run: async (_ctx, [shell]) => {
    if (!SHELLS.some((known) => known === shell)) {
      throw new LnError("usage-value", `there is no completion for ${JSON.stringify(shell)}: ${SHELLS.join(", ")}`, { value: shell ?? "" });
    }
    const script = scriptFor(shell as Shell, await outlineOf(REGISTRY));
    return { document: { shell: shell ?? "", script }, plain: script };
  },
});
