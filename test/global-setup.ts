import { execFileSync } from "node:child_process";

/** Before the first test: the bundle that the tests of bin/chankit.js run is that of today's sources. */
export default function setup(): void {
  execFileSync(process.execPath, ["test/tools/build.mjs", "--bundle"], { stdio: "inherit" });
}
