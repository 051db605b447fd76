import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import { BIN, type CliResult, runCli } from "../support/cli.js";
import { type Parties, afterStep, copyOf, fingerprint, messageOf, parties, readJson, runCommand, stateOf } from "../support/party.js";

/** A line of bash in the folder of both parties, `chankit` at hand. */
async function bash(p: Parties, script: string): Promise<CliResult> {
  const child = spawn("bash", ["-c", `chankit() { "$NODE" "$BIN" "$@"; }\n${script}`], {
    cwd: p.dir,
    env: { PATH: "/usr/bin:/bin", NODE: process.execPath, BIN },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve) =>
    child.on("close", (code) => {
      resolve(code ?? -1);
    }),
  );
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, stderr };
}

const errorOf = ({ stderr }: CliResult): unknown => (JSON.parse(stderr) as { readonly error: { readonly code: string } }).error.code;

/** Preloaded into a process: it stands still before its first rename until the file GO is there, and says by the file HELD that it does. */
const HOLD_BEFORE_FIRST_RENAME = `
  const fs = require("node:fs");
  const { renameSync } = fs;
  fs.renameSync = (...args) => {
    fs.renameSync = renameSync;
    fs.writeFileSync(process.env.HELD, "");
    while (!fs.existsSync(process.env.GO)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return renameSync(...args);
  };
`;

function expectPayments(p: Parties, made: number): void {
  const { messages, nextIds, changes } = stateOf(p.alice);
  expect([messages.lastSent, nextIds.local.pay, changes.local.length]).toEqual([3 + made, BigInt(made), made]);
}

describe("two processes at once on one party", () => {
  test("of two payments one wins, or both one after the other; who loses says so, and nothing is half done", async () => {
    const p = await parties();
    let made = 0;
    for (let round = 0; round < 12; round++) {
      const results = await Promise.all([1, 2].map(() => runCli(["pay", p.alice, "1sat", "--json"])));
      const won = results.filter(({ status }) => status === 0);
      expect(won.length).toBeGreaterThan(0);
      made += won.length;
      for (const result of results.filter(({ status }) => status !== 0)) {
        expect([result.status, errorOf(result), result.stdout]).toEqual(
          result.status === 75 ? [75, "busy-channel", ""] : [5, "file-revision-conflict", ""],
        );
      }
      const seqs = won.map(({ stdout }) => (JSON.parse(stdout) as { readonly seq: number }).seq);
      expect(new Set(seqs).size).toBe(seqs.length);
      expectPayments(p, made);
    }
    expect(readdirSync(p.alice).sort()).toEqual(["channel.json", "highwater.json", "keys.json"]);
  });

  test("a payment that stands still right before it takes effect, while another is made, loses", async () => {
    const p = await parties();
    const hook = join(p.dir, "hold.cjs");
    const [held, go] = [join(p.dir, "held"), join(p.dir, "go")];
    writeFileSync(hook, HOLD_BEFORE_FIRST_RENAME);
    const slow = runCli(["pay", p.alice, "1sat", "--json"], { env: { NODE_OPTIONS: `--require ${hook}`, HELD: held, GO: go } });
    await vi.waitUntil(() => existsSync(held), { timeout: 20_000 });
    expect((await runCli(["pay", p.alice, "2sat", "--json"])).status).toBe(0);
    const after = readFileSync(join(p.alice, "channel.json"), "utf8");
    writeFileSync(go, "");

    const result = await slow;
    expect([result.status, errorOf(result), result.stdout]).toEqual([5, "file-revision-conflict", ""]);
    expectPayments(p, 1);
    expect(readFileSync(join(p.alice, "channel.json"), "utf8")).toBe(after);
    expect(readdirSync(p.alice).sort()).toEqual(["channel.json", "highwater.json", "keys.json"]);
  });

  test.each([
    ["sign", 1, "alice"],
    ["make-revocation", 7, "bob"],
  ] as const)("of two %s both give the one message, or one says that it lost", async (command, step, party) => {
    const p = await afterStep(step);
    const expected = await runCommand(command, [copyOf(p)[party]]);
    const results = await Promise.all([1, 2, 3].map(() => runCli([command, p[party], "--json"])));
    const won = results.filter(({ status }) => status === 0);
    expect(won.length).toBeGreaterThan(0);
    for (const { stdout } of won) expect(JSON.parse(stdout)).toEqual(expected.document);
    for (const result of results.filter(({ status }) => status !== 0)) {
      expect([result.status, errorOf(result)]).toEqual(result.status === 75 ? [75, "busy-channel"] : [5, "file-revision-conflict"]);
    }
    expect((await runCli([command, p[party]])).stdout).toBe(won[0]!.stdout);
    expect(readdirSync(p[party]).sort()).toEqual(["channel.json", "highwater.json", "keys.json"]);
  });

  test("a payment and a signature: whoever wins, the state is one that a single process could have made", async () => {
    const p = await afterStep(1);
    const results = await Promise.all([runCli(["pay", p.alice, "5sat", "--json"]), runCli(["sign", p.alice, "--json"])]);
    for (const result of results) if (result.status !== 0) expect(errorOf(result)).toMatch(/^(file-revision-conflict|busy-channel)$/);
    const state = stateOf(p.alice);
    expect(state.messages.lastSent).toBe(4 + results.filter(({ status }) => status === 0).length);
    // Signed before the second payment came, the peer has to revoke before that one is signed; else the same message comes again
    const again = await runCli(["sign", p.alice, "--json"]);
    if (again.status !== 0) expect(errorOf(again)).toBe("policy-sign-unrevoked");
  });
});

/** A user for whom files of other users are not there to be changed. */
const NOBODY = 65534;

describe("a folder that cannot be written", () => {
  test("sign, pay and receive say so, exit 5, and everything stays as it was; looking works", async () => {
    const p = await afterStep(3);
    chmodSync(p.dir, 0o755);
    for (const folder of [p.alice, p.bob]) {
      chmodSync(join(folder, "keys.json"), 0o644);
      chmodSync(folder, 0o555);
    }
    const before = fingerprint(p.dir);
    const run = async (...args: string[]): Promise<CliResult> => {
      // Root may write everywhere
      const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
      const child = spawn(process.execPath, [BIN, ...args], { cwd: p.dir, env: {}, stdio: ["ignore", "pipe", "pipe"], ...other });
      const ended = new Promise<number>((resolve) =>
        child.on("close", (code) => {
          resolve(code ?? -1);
        }),
      );
      const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
      return { status, stdout, stderr };
    };
    for (const args of [
      ["pay", "alice", "1sat"],
      ["receive", "bob", messageOf(p, "pay")],
      ["force-close", "alice"],
    ]) {
      const { status, stdout, stderr } = await run(...args);
      expect({ status, stdout }, stderr).toEqual({ status: 5, stdout: "" });
      expect(stderr).toMatch(/chankit: file-not-written: alice\/channel\.json was not written: .*\(EACCES\)|bob\/channel\.json was not written/);
    }
    expect((await run("status", "alice")).status).toBe(0);
    expect((await run("pay", "alice", "1sat", "--dry-run")).status).toBe(0);
    expect((await run("build-commitment", "alice", "--owner", "remote")).status).toBe(0);
    // The step is done: its message needs no writing
    expect((await run("sign", "alice")).status).toBe(0);
    expect((await run("resend", "alice")).status).toBe(0);
    const pure = await run("pay", "alice", "1sat", "--channel-out", "/dev/null");
    expect({ status: pure.status, stderr: pure.stderr }).toEqual({ status: 0, stderr: "" });
    expect((await run("keygen", "alice/more")).status).toBe(5);
    expect((await run("status", "alice", "-o", "alice/status.json")).status).toBe(6);
    expect(fingerprint(p.dir)).toEqual(before);
    for (const folder of [p.alice, p.bob]) chmodSync(folder, 0o755);
  });
});

const AGAIN = "chankit: not delivered, but in the state: the same command prints it again\n";
const RESEND =
  'chankit: not delivered, but in the state: "chankit resend PARTY --seq 4" prints it; the same command makes another, unless by its --request-id\n';

/** Commands whose output may be lost, and what is said then of how to get it again. */
const LOSSES = [
  { name: "sign", step: 1, party: "alice", args: ["sign", "alice"], way: AGAIN },
  { name: "make-revocation", step: 7, party: "bob", args: ["make-revocation", "bob"], way: AGAIN },
  { name: "pay", step: 0, party: "alice", args: ["pay", "alice", "0.02btc", "--request-id", "r"], way: RESEND },
  { name: "status", step: 3, party: "alice", args: ["status", "alice"], way: "" },
] as const;

describe.each(LOSSES)("an output of $name that is lost", ({ step, party, args, way }) => {
  const again = async (p: Parties): Promise<void> => {
    const expected = await runCommand(
      args[0],
      [copyOf(await afterStep(step))[party], ...args.slice(2, 3)],
      args[0] === "pay" ? { requestId: "r" } : {},
    );
    const { status, stdout } = await runCli([...args, "--json"], { cwd: p.dir });
    expect(status).toBe(0);
    if (args[0] !== "status") expect(JSON.parse(stdout)).toEqual(expected.document);
  };

  test("a reader that went away: exit 141, quiet but for what is worth a line, and it is obtainable again", async () => {
    const p = await afterStep(step);
    // The reader is gone before the command has started
    const { stdout, stderr } = await bash(p, `{ sleep 0.2; chankit ${args.join(" ")}; echo $? > status; } | exec true; cat status`);
    expect(stdout).toBe("141\n");
    expect(stderr).toBe(way);
    await again(p);
    const short = await bash(await afterStep(step), `chankit ${args.join(" ")} | head -c 1 > /dev/null; echo "\${PIPESTATUS[@]}"`);
    expect(short.stdout).toMatch(/^(0|141) 0\n$/);
  });

  test.each(["> /dev/full", "-o /dev/full", "-o full"])("a full disk (%s): exit 6, told, and it is obtainable again", async (where) => {
    const p = await afterStep(step);
    const { status, stdout, stderr } = await bash(p, `ln -s /dev/full full; chankit ${args.join(" ")} ${where}`);
    expect({ status, stdout }).toEqual({ status: 6, stdout: "" });
    expect(stderr).toBe(`${way}chankit: output-not-written: ${told(where)}\n`);
    await again(p);
  });
});

function told(where: string): string {
  if (where.startsWith(">")) return "standard output cannot be written: ENOSPC";
  return `${where.slice(3)} was not written: no space left on the disk (ENOSPC)`;
}

describe("pipes with names, and without", () => {
  const PAY = ARTICLE_PAY();
  function ARTICLE_PAY(): string {
    return "wire/0004-alice-pay.json";
  }

  test("a FIFO as output and as input", async () => {
    const p = await parties();
    const { status, stderr } = await bash(
      p,
      `mkfifo f g
       chankit pay alice 0.02btc -o f > path & chankit receive bob f > received && wait $! || exit 9
       chankit sign alice > g & chankit verify-sig bob g > verified && wait $! || exit 9
       cat path`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(p.dir, "path"), "utf8")).toBe("f\n");
    expect(stateOf(p.bob).fundings[0].local.current!.number).toBe(1);
  });

  test("process substitution: <(…) and >(…), for messages, keys, channels and states", async () => {
    const p = await parties();
    const { status, stdout, stderr } = await bash(
      p,
      `set -e
       chankit receive bob <(chankit pay alice 0.02btc) > received
       chankit sign alice -o >(cat > signed.json) > path
       until [ -s signed.json ]; do sleep 0.05; done; sleep 0.1
       chankit verify-sig bob <(cat signed.json) > verified
       cp bob/channel.json before.json
       chankit make-revocation --channel <(cat bob/channel.json) --keys <(cat bob/keys.json) --channel-out >(cat > after.json) > revocation.json
       until [ -s after.json ]; do sleep 0.05; done; sleep 0.1
       cmp bob/channel.json before.json
       chankit make-revocation bob | cmp - revocation.json && cmp bob/channel.json after.json
       chankit receive alice <(cat revocation.json) | head -c 1
       chankit status --channel <(cat alice/channel.json) --brief
       chankit penalty-tx bob --tx <(chankit force-close alice) --to bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 --feerate 253 2>&1 | head -c 35`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe("{alice could publish commitment 0: own 0.10000000, peer 0.00000000 BTC\nchankit: policy-penalty-not-revoked");
  });

  test("/dev/stdout for the message and for the state; both at once are refused", async () => {
    const p = await parties();
    const { status, stdout, stderr } = await bash(
      p,
      `set -e
       chankit pay alice 0.02btc -o /dev/stdout > out.json
       chankit sign alice --channel-out /dev/stdout -o signed.json > state.json
       chankit sign alice --channel-out - -o same.json > same-state.json
       cmp state.json same-state.json; cmp signed.json same.json
       chankit sign alice > /dev/null; cmp alice/channel.json state.json
       chankit receive bob /dev/stdin < out.json > /dev/null
       cat signed.json | chankit receive bob - --channel-out - 2>&1`,
    );
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
    expect(stdout).toContain("usage-stdout-twice");
    expect(readFileSync(join(p.dir, "out.json"), "utf8")).toMatch(/^\{[^]*\}\n$/);
  });

  test("a channel file that is a pipe is not rewritten in place, and the refusal says where to", async () => {
    const p = await parties();
    for (const source of ["<(cat alice/channel.json)", "/dev/stdin < <(cat alice/channel.json)", "fifo"]) {
      const before = fingerprint(p.alice);
      const feed = source === "fifo" ? "cat alice/channel.json > fifo &" : "";
      const script = `mkfifo fifo; ${feed} chankit pay --channel ${source} 1sat --keys alice/keys.json`;
      const { status, stdout, stderr } = await bash(p, script);
      expect({ status, stdout }, `${source}: ${stderr}`).toEqual({ status: 5, stdout: "" });
      expect(stderr).toMatch(/^chankit: file-not-regular: .* write the new state elsewhere\n$/);
      expect(fingerprint(p.alice)).toEqual(before);
      rmSync(join(p.dir, "fifo"));
    }
  });

  test("standard input that does not block, as other programs leave it behind", async () => {
    const p = await parties();
    // A pipe both of whose ends are set not to block, written late and in two parts
    const script = `
      import { spawn } from "node:child_process";
      const [node, bin, ...args] = process.argv.slice(1);
      const feeder = spawn("bash", ["-c", "sleep 0.3; head -c 20 ${PAY}; sleep 0.3; tail -c +21 ${PAY}"], { stdio: ["ignore", "pipe", "inherit"] });
      const child = spawn(node, [bin, ...args], { stdio: [feeder.stdout, "inherit", "inherit"], env: {} });
      child.on("close", (code) => { process.exitCode = code; });
    `;
    await runCommand("pay", [p.alice, "0.02btc"]).then(({ document }) => {
      writeFileSync(join(p.dir, "pay.json"), JSON.stringify(document));
    });
    const run = script.replaceAll(PAY, "pay.json");
    const child = spawn(process.execPath, ["--input-type=module", "-e", run, process.execPath, BIN, "receive", "bob", "-"], { cwd: p.dir });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const [status, stderr] = await Promise.all([ended, text(child.stderr)]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readJson(join(p.bob, "channel.json"))).toMatchObject({ messages: { last_received: 4 } });
  });
});
