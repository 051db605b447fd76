// What `npm ci` and `npm pack` run: builds dist/, and in a developer's checkout turns on the commit hook.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

execFileSync(process.execPath, ["test/tools/build.mjs"], { stdio: "inherit" });

if (existsSync(".git") && process.env["CI"] === undefined) {
  const git = (/** @type {string[]} */ ...args) => spawnSync("git", ["config", "--local", ...args], { encoding: "utf8" });
  // Someone's own hooks stay as they are. Without git, or with a read-only configuration, there is just no hook.
  if (git("core.hooksPath").stdout === "") git("core.hooksPath", "test/tools/hooks");
}
