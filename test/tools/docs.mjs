// Writes what follows from the program itself, in docs/ and package.json: `npm run docs`. test/docs.test.ts fails when it was forgotten.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

const root = new URL("../../", import.meta.url);
const bin = fileURLToPath(new URL("bin/chankit.js", root));

/** @param {readonly string[]} args */
const chankit = (...args) => execFileSync(process.execPath, [bin, ...args], { encoding: "utf8", env: {} });

/** The command reference: what `--help` says of each. */
export function commands() {
  const sections = chankit("help", "all")
    .split(/^(?=Usage: chankit )/m)
    .filter((section) => section.trim() !== "")
    .map((section) => {
      const name = /^Usage: chankit (\S+)/.exec(section)?.[1] ?? "";
      return `## ${name}\n\n\`\`\`\n${section.trim()}\n\`\`\`\n`;
    });
  return `# Commands\n\nWhat \`chankit COMMAND --help\` prints. Written by \`npm run docs\`.\n\n${sections.join("\n")}`;
}

/** Every tag with its meaning. */
export function errors() {
  return `# Errors\n\nWhat \`chankit help errors\` prints. Written by \`npm run docs\`.\n\n\`\`\`\n${chankit("help", "errors").trim()}\n\`\`\`\n`;
}

/** package.json with every page of the manual: npm links into a global installation only what it names there. */
export function manifest() {
  const names = Array.from(commands().matchAll(/^## (\S+)$/gm), ([, name]) => `chankit-${name}`);
  const man = ["chankit", ...names].map((name) => `dist/man/${name}.1`);
  return JSON.stringify({ ...JSON.parse(readFileSync(new URL("package.json", root), "utf8")), man });
}

/** @type {Record<string, () => string>} */
export const pages = { "docs/commands.md": commands, "docs/errors.md": errors, "package.json": manifest };

/** @param {string} path */
export async function page(path) {
  const config = await resolveConfig(fileURLToPath(new URL(path, root)));
  return format(pages[path]?.() ?? "", { ...config, filepath: path });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of Object.keys(pages)) writeFileSync(new URL(path, root), await page(path));
}
