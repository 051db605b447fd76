import { ANCHORS_SCRIPT, CLOSE_SCRIPT, HTLCS_SCRIPT, UPDATE_SCRIPT } from "./demo/scripts.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";

export const command = defineCommand({
  name: "demo",
  summary: "write two parties and the twenty steps as a script",
  description:
    "Writes DIR with the folders of two parties and four scripts: update.sh, the article's twenty steps, then Alice's cheat and Bob's penalty; anchors.sh, the same at a real feerate with payments both ways and Bob cheating; htlcs.sh, HTLCs, a reconnection and a timeout on chain; close.sh, a mutual close. " +
    "Read them, run them with bash.",
  args: [{ syntax: "<dir>", help: "the folder to write" }],
  flags: {},
  examples: ["chankit demo demo && bash demo/update.sh"],
  curve: false,
  exits: [5, 6],
  run: (ctx, [dir]) => {
    if (dir === undefined) throw new LnError("usage-argument", "name the folder to write", {});
    for (const folder of ["alice", "bob", "wire", "steps"]) ctx.store.makeFolder(`${dir}/${folder}`);
    const scripts = { "update.sh": UPDATE_SCRIPT, "anchors.sh": ANCHORS_SCRIPT, "htlcs.sh": HTLCS_SCRIPT, "close.sh": CLOSE_SCRIPT };
    const self = ctx.self.map(shellQuoted).join(" ");
    for (const [name, script] of Object.entries(scripts)) ctx.store.writeOutput(`${dir}/${name}`, script.replace("@chankit@", self), "replace");
    return { document: { written: Object.keys(scripts).map((name) => `${dir}/${name}`), run: `bash ${dir}/update.sh` } };
  },
});

function shellQuoted(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
