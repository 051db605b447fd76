import type { Call } from "./party.js";

export type Who = "alice" | "bob";
export const PARTIES: readonly Who[] = ["alice", "bob"];
export const otherThan = (who: Who): Who => (who === "alice" ? "bob" : "alice");

/** In every script. */
export const OPENER: Who = "alice";

/** What one party does in a step. */
export type Act =
  /** Runs a command. A message that it prints lies ready until it is sent. */
  | { readonly kind: "run"; readonly who: Who; readonly call: Call }
  /** Hands over every message that lies ready. */
  | { readonly kind: "send"; readonly who: Who }
  /** Takes in the oldest message that has come. */
  | { readonly kind: "take"; readonly who: Who; readonly command: string; readonly flags?: Call["flags"] }
  /** Looks at it only. */
  | { readonly kind: "check"; readonly who: Who; readonly command: string }
  /** Writes a backup, which is kept elsewhere. */
  | { readonly kind: "back-up"; readonly who: Who }
  /** Loses all but its keys, and begins again with the backup. */
  | { readonly kind: "restore"; readonly who: Who }
  /** Copies its folder, and comes to have nothing but that copy. */
  | { readonly kind: "copy"; readonly who: Who }
  | { readonly kind: "roll-back"; readonly who: Who }
  /** The funding transaction is confirmed. */
  | { readonly kind: "confirm"; readonly who: Who };

export interface Step {
  /** As the article, or the command line, has it. */
  readonly label: string;
  readonly acts: readonly Act[];
}

/** How the two came to a channel. */
export interface Opening {
  readonly fundingSat: bigint;
  readonly pushSat: bigint;
  readonly channelType: string;
  readonly feeratePerKw: number;
  /** Whether a mutual close is negotiated by closing_complete, else by closing_signed; default: so. */
  readonly closesSimply?: boolean;
  /** Whether each names the script of its mutual close from the start. */
  readonly upfront?: true;
  /** What each takes of the other and allows itself, where it is not the default. */
  readonly limits?: Readonly<Record<Who, NonNullable<Call["flags"]>>>;
}

/** Where each is paid in the end: P2WPKH of a key that is its alone (`walletOf`). */
export const WALLETS: Readonly<Record<Who, string>> = {
  alice: "001407d374611b7da89d87d5c1a08c704f874341f1e9",
  bob: "001419b8814162d6ba4aef0889e2bbdad38be18c0fd6",
};

export interface Script {
  readonly name: string;
  readonly summary: string;
  readonly opening: Opening;
  /** In hex. */
  readonly preimages: readonly string[];
  readonly steps: readonly Step[];
  /** Whether the steps begin before there is a channel. */
  readonly unopened?: true;
}

export const run = (who: Who, command: string, args: readonly string[] = [], more: Partial<Call> = {}): Act => ({
  kind: "run",
  who,
  call: { command, args, ...more },
});
export const send = (who: Who): Act => ({ kind: "send", who });
export const take = (who: Who, command = "receive", flags: NonNullable<Call["flags"]> = {}): Act => ({ kind: "take", who, command, flags });
export const check = (who: Who, command: string): Act => ({ kind: "check", who, command });
export const build = (who: Who, owner: "local" | "remote"): Act => run(who, "build-commitment", [], { flags: { owner } });

/** Where the funding of every scenario comes from. */
export const OUTPOINT = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0";

/** How each command of the opening is called. */
export function openingFlags({ fundingSat, pushSat, channelType, feeratePerKw, closesSimply = true, upfront, limits }: Opening): {
  readonly open: NonNullable<Call["flags"]>;
  readonly accept: NonNullable<Call["flags"]>;
} {
  const both = { minFeerate: String(Math.min(feeratePerKw, 253)), ...(closesSimply ? {} : { withoutSimpleClose: true as const }) };
  const own = (who: Who) => ({ ...(upfront === true ? { upfrontShutdownScript: WALLETS[who] } : {}), ...limits?.[who] });
  const push = pushSat === 0n ? {} : { push: `${pushSat}sat` };
  return {
    accept: { ...both, ...own("bob") },
    open: { ...both, ...own("alice"), funding: `${fundingSat}sat`, channelType, feerate: String(feeratePerKw), ...push },
  };
}

export function openingSteps(opening: Opening): readonly Step[] {
  const { open, accept } = openingFlags(opening);
  return [
    { label: "alice: open-channel", acts: [run("alice", "open-channel", [], { flags: open }), send("alice")] },
    { label: "bob: accept-channel", acts: [take("bob", "accept-channel", accept), send("bob")] },
    { label: "alice: create-funding", acts: [take("alice", "create-funding", { outpoint: OUTPOINT }), send("alice")] },
    { label: "bob: sign-funding", acts: [take("bob", "sign-funding"), send("bob")] },
    { label: "alice: release-funding", acts: [take("alice", "release-funding")] },
    { label: "the funding is confirmed", acts: [{ kind: "confirm", who: "alice" }] },
    { label: "alice: channel-ready", acts: [run("alice", "channel-ready"), send("alice")] },
    { label: "bob: channel-ready", acts: [run("bob", "channel-ready"), send("bob")] },
    { label: "bob: receive", acts: [take("bob")] },
    { label: "alice: receive", acts: [take("alice")] },
  ];
}

/** The steps without any change of the feerate, and without what takes it in: of a channel that has none. */
export function withoutFeeChanges(steps: readonly Step[]): readonly Step[] {
  const changes = (step: Step | undefined): boolean => step?.acts.some((act) => act.kind === "run" && act.call.command === "update-fee") ?? false;
  return steps.filter((step, at) => !changes(step) && !changes(steps[at - 1]));
}
