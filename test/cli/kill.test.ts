import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BIN, runCli } from "../support/cli.js";
import { type Parties, parties, readJson, runCommand, stateOf } from "../support/party.js";

/** More of it: CHANKIT_KILLS=1000 npx vitest run test/cli/kill.test.ts */
const KILLS = Number(process.env["CHANKIT_KILLS"] ?? 60);
const SEED = Number(process.env["CHANKIT_SEED"] ?? Date.now() % 2 ** 31);
/** No more blows after this time: what a busy machine does not get done. */
const MILLISECONDS = KILLS * 1000;
const PAID_MSAT = 1_000_000n;

/** The five pipes of an update, the payment under an id of its own. */
const pipesOf = (round: number): readonly (readonly [from: string, to: string, ...command: string[]])[] => [
  ["alice", "bob", "pay", "alice", "1000sat", "--request-id", `payment-${round}`],
  ["alice", "bob", "sign", "alice"],
  ["bob", "alice", "make-revocation", "bob"],
  ["bob", "alice", "sign", "bob"],
  ["alice", "bob", "make-revocation", "alice"],
];

/** `kill -9` of one end of a pipe, or of both, after some milliseconds. */
interface Blow {
  /** As a part of what a pipe takes undisturbed. */
  readonly after: number;
  readonly victims: readonly ("sender" | "receiver")[];
}

/** What a pipe came to: whether each end lived to say that all is well, and what the sender printed. */
interface Passage {
  readonly sent: number;
  readonly received: number;
  readonly message: string;
  readonly errors: string;
  readonly killed: number;
}

/** `chankit COMMAND | tee -p printed | chankit receive TO -`, a real pipe between two real processes. */
async function pipe(p: Parties, to: string, command: readonly string[], blow: Blow | undefined, span: number): Promise<Passage> {
  const file = (name: string) => join(p.dir, name);
  for (const name of ["sender", "receiver", "printed", "sent", "received", "errors"]) rmSync(file(name), { force: true });
  const script = `
    { bash -c 'echo $$ > sender; exec "$0" "$@"' "$NODE" "$BIN" ${command.join(" ")}; echo $? > sent; } 2>> errors | tee -p printed |
    { bash -c 'echo $$ > receiver; exec "$0" "$@"' "$NODE" "$BIN" receive ${to} -; echo $? > received; } > /dev/null 2>> errors`;
  const child = spawn("bash", ["-c", script], { cwd: p.dir, env: { PATH: "/usr/bin:/bin", NODE: process.execPath, BIN }, stdio: "ignore" });
  let killed = 0;
  const timer =
    blow === undefined
      ? undefined
      : setTimeout(() => {
          for (const victim of blow.victims) {
            const pid = existsSync(file(victim)) ? Number(readFileSync(file(victim), "utf8")) : 0;
            const over = existsSync(file(victim === "sender" ? "sent" : "received"));
            if (pid === 0 || over) continue;
            try {
              process.kill(pid, "SIGKILL");
              killed++;
            } catch {
              // It has just ended
            }
          }
        }, blow.after * span);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), "utf8") : "");
  return { sent: Number(read("sent")), received: Number(read("received")), message: read("printed"), errors: read("errors"), killed };
}

test(`kill -9 at random moments of an update's five pipes, ${KILLS} times and more (seed ${SEED})`, async () => {
  const p = await parties();
  const blows = fc
    .sample(
      fc.record({
        after: fc.double({ min: 0.1, max: 1, noNaN: true }),
        victims: fc.constantFrom(["sender"] as const, ["receiver"] as const, ["sender", "receiver"] as const),
      }),
      {
        seed: SEED,
        numRuns: KILLS * 20,
      },
    )
    .values();
  const printed = new Map<string, string>();
  let [kills, attempts, rounds] = [0, 0, 0];
  const started = performance.now();
  // The first round is left in peace, to see how long one takes
  let span = 0;
  const more = (): boolean => kills < KILLS && performance.now() - started < MILLISECONDS;
  for (; rounds === 0 || more(); rounds++) {
    for (const [from, to, ...command] of pipesOf(rounds)) {
      // Again until both ends say that it went well, as a script's loop would
      for (let tries = 0; ; tries++) {
        expect(tries, `seed ${SEED}: ${command.join(" ")} never passes`).toBeLessThan(60);
        const { sent, received, message, errors, killed } = await pipe(p, to, command, rounds > 0 && more() ? blows.next().value : undefined, span);
        attempts++;
        kills += killed;
        expect([0, 137, 141], `seed ${SEED}: ${errors}`).toContain(sent);
        // Of a sender that was killed nothing came, or not all
        expect(sent === 0 ? [0, 137] : [0, 3, 137], `seed ${SEED}: ${errors}`).toContain(received);
        if (sent === 0) {
          const { seq } = JSON.parse(message) as { readonly seq: number };
          const known = printed.get(`${from} ${seq}`);
          expect(message, `seed ${SEED}: message ${seq} of ${from} is always the same`).toBe(known ?? message);
          printed.set(`${from} ${seq}`, message);
        }
        if (sent === 0 && received === 0) break;
      }
    }
    if (rounds === 0) span = (performance.now() - started) / 5;
  }
  expect(kills).toBeGreaterThan(KILLS / 4);
  console.info(`kill -9: ${kills} kills survived in ${attempts} pipes, ${rounds} payments made once each (seed ${SEED})`);

  const paid = BigInt(rounds) * PAID_MSAT;
  const [alice, bob] = [stateOf(p.alice), stateOf(p.bob)];
  for (const [state, own] of [
    [alice, 10_000_000_000n - paid],
    [bob, paid],
  ] as const) {
    const [{ local, remote }] = state.fundings;
    expect([local.previous, remote.next]).toEqual([null, null]);
    for (const commit of [local.current, remote.current]) {
      expect(commit).toMatchObject({ number: rounds, spec: { balances: { local: own, remote: 10_000_000_000n - own }, htlcs: [] } });
    }
    expect(state.nextIds[state === alice ? "local" : "remote"].pay).toBe(BigInt(rounds));
  }
  expect([alice.messages.lastSent, bob.messages.lastReceived]).toEqual([3 + 3 * rounds, 3 + 3 * rounds]);
  expect([bob.messages.lastSent, alice.messages.lastReceived]).toEqual([3 + 2 * rounds, 3 + 2 * rounds]);
  // Every number was printed once, whole, and nothing else
  expect(printed.size).toBe(5 * rounds);
  // An old id gives its old message still; what the killed have left is tidied away by the next change
  const again = await runCli(["pay", "alice", "1000sat", "--request-id", `payment-${rounds - 1}`], { cwd: p.dir });
  expect(again.stdout).toBe(printed.get(`alice ${4 + 3 * (rounds - 1)}`));
  for (const folder of [p.alice, p.bob]) {
    await runCommand("force-close", [folder]);
    expect(readdirSync(folder).sort()).toEqual(["channel.json", "highwater.json", "keys.json"]);
    expect(readJson(join(folder, "highwater.json"))).toMatchObject({ revision: readJson(join(folder, "channel.json"))["revision"] });
  }
}, 600_000);
