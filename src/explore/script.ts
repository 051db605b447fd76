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

const run = (who: Who, command: string, args: readonly string[] = [], more: Partial<Call> = {}): Act => ({
  kind: "run",
  who,
  call: { command, args, ...more },
});
const send = (who: Who): Act => ({ kind: "send", who });
const take = (who: Who, command = "receive", flags: NonNullable<Call["flags"]> = {}): Act => ({ kind: "take", who, command, flags });
const check = (who: Who, command: string): Act => ({ kind: "check", who, command });
const build = (who: Who, owner: "local" | "remote"): Act => run(who, "build-commitment", [], { flags: { owner } });

/** Where the funding of every scenario comes from. */
export const OUTPOINT = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0";

/** How each command of the opening is called. */
export function openingFlags({ fundingSat, pushSat, channelType, feeratePerKw, closesSimply = true, upfront }: Opening): {
  readonly open: NonNullable<Call["flags"]>;
  readonly accept: NonNullable<Call["flags"]>;
} {
  const both = { minFeerate: String(Math.min(feeratePerKw, 253)), ...(closesSimply ? {} : { withoutSimpleClose: true as const }) };
  const scriptOf = (who: Who) => (upfront === true ? { upfrontShutdownScript: WALLETS[who] } : {});
  const push = pushSat === 0n ? {} : { push: `${pushSat}sat` };
  return {
    accept: { ...both, ...scriptOf("bob") },
    open: { ...both, ...scriptOf("alice"), funding: `${fundingSat}sat`, channelType, feerate: String(feeratePerKw), ...push },
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

const BOTH_FUNDED = { fundingSat: 10_000_000n, pushSat: 4_000_000n } as const;

const OPENED: Opening = { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 };

/** From nothing to an open channel: the funding may never come. */
export const OPENING: Script = {
  name: "opening",
  summary: "Alice opens a channel, 0.04 of her 0.10 BTC are Bob's from the start; anchors, at a real feerate; the funding may never come",
  opening: OPENED,
  preimages: ["07".repeat(32)],
  steps: openingSteps(OPENED),
  unopened: true,
};

/** The article's twenty steps, word for word in their order. */
export const ARTICLE: Script = {
  name: "article",
  summary: "Alice pays 0.02 of her 0.10 BTC to Bob, who begins with nothing, in the article's twenty steps; no fees",
  opening: { fundingSat: 10_000_000n, pushSat: 0n, channelType: "static_remotekey", feeratePerKw: 0 },
  preimages: [],
  steps: [
    { label: "BuildPayMeFirstTx(alice)", acts: [run("alice", "pay", ["0.02btc"]), build("alice", "remote")] },
    { label: "Sign(payAliceFirstTx)", acts: [run("alice", "sign")] },
    { label: "Send(payAliceFirstSignature)", acts: [send("alice")] },
    { label: "Receive(payAliceFirstSignature)", acts: [take("bob")] },
    { label: "BuildPayOtherFirstTx(alice)", acts: [build("bob", "local")] },
    { label: "CheckSignature(payOtherFirstTx, …)", acts: [check("bob", "verify-sig")] },
    { label: "Store(payAliceFirstSignature)", acts: [take("bob", "verify-sig")] },
    { label: "BuildRevokeCommitmentMsg()", acts: [run("bob", "make-revocation")] },
    { label: "Send(revokeMessage)", acts: [send("bob")] },
    { label: "ReceiveRevokeMsg(revokeMessage)", acts: [take("alice", "receive-revocation")] },
    { label: "BuildPayMeFirstTx(bob)", acts: [build("bob", "remote")] },
    { label: "Sign(payBobFirstTx)", acts: [run("bob", "sign")] },
    { label: "Send(payBobFirstSignature)", acts: [send("bob")] },
    { label: "Receive(signatureBob)", acts: [] },
    { label: "BuildPayOtherFirstTx(bob)", acts: [build("alice", "local")] },
    { label: "CheckSignature(payOtherFirstTx, …)", acts: [check("alice", "verify-sig")] },
    { label: "Store(signatureBob)", acts: [take("alice", "verify-sig")] },
    { label: "BuildRevokeCommitmentMsg()", acts: [run("alice", "make-revocation")] },
    { label: "Send(revokeMessage)", acts: [send("alice")] },
    { label: "ReceiveRevokeMsg(revokeMessage)", acts: [take("bob", "receive-revocation")] },
  ],
};

/** A command whose message is sent at once. */
function sent(who: Who, command: string, args: readonly string[] = [], more: Partial<Call> = {}): Step {
  const words = [command, ...args].join(" ");
  return { label: `${who}: ${words}`, acts: [run(who, command, args, more), send(who)] };
}

function taken(who: Who): Step {
  return { label: `${who}: receive`, acts: [take(who)] };
}

/** Whoever has something new signs first; each revokes when the next commitment is stored. */
function round(first: Who): readonly Step[] {
  return [...half(first), ...half(otherThan(first))];
}

function payment(payer: Who, amount: string): readonly Step[] {
  return [sent(payer, "pay", [amount]), taken(otherThan(payer)), ...round(payer)];
}

/** Both funded, five payments and more, both ways. */
export const PAYMENTS: Script = {
  name: "payments",
  summary: "both sides funded (0.06 and 0.04 BTC), five payments both ways, at a real feerate with anchors",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: [],
  steps: [
    ...payment("alice", "0.01btc"),
    ...payment("bob", "0.03btc"),
    ...payment("alice", "0.025btc"),
    ...payment("bob", "0.005btc"),
    ...payment("alice", "0.015btc"),
  ],
};

/** Proposals and signatures of both sides cross on the wire. */
export const CROSSING: Script = {
  name: "crossing",
  summary: "both pay and both sign before either has heard of it, at a real feerate",
  opening: { ...BOTH_FUNDED, channelType: "static_remotekey", feeratePerKw: 2500 },
  preimages: [],
  steps: [
    ...payment("alice", "0.005btc"),
    sent("bob", "pay", ["0.03btc"]),
    sent("alice", "pay", ["0.01btc"]),
    taken("alice"),
    taken("bob"),
    sent("alice", "sign"),
    sent("bob", "sign"),
    taken("alice"),
    taken("bob"),
    sent("alice", "make-revocation"),
    sent("bob", "make-revocation"),
    taken("bob"),
    taken("alice"),
    ...round("alice"),
  ],
};

const RESTORING: readonly Step[] = [
  { label: "alice: restore", acts: [{ kind: "restore", who: "alice" }] },
  { label: "bob: restore", acts: [{ kind: "restore", who: "bob" }] },
  sent("alice", "reestablish"),
  sent("bob", "reestablish"),
];

const BACKING_UP: Step = {
  label: "both: backup",
  acts: [
    { kind: "back-up", who: "alice" },
    { kind: "back-up", who: "bob" },
  ],
};

/** Both lose all but their keys and a backup, which holds every secret that the other has given. */
export const RESTORED: Script = {
  name: "restored",
  summary: "both sides lose everything but their keys and a backup, in the midst of a payment that the backup knows nothing of",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: [],
  steps: [
    ...payment("alice", "0.01btc"),
    BACKING_UP,
    sent("bob", "pay", ["0.03btc"]),
    taken("alice"),
    sent("bob", "sign"),
    taken("alice"),
    ...RESTORING,
  ],
};

/** The same with a backup that is older than that: this must lose, for what it does not know to be revoked it cannot punish. */
export const OUTDATED: Script = {
  name: "outdated",
  summary: "both sides lose everything but their keys and a backup that is two payments old: what was revoked since cannot be punished",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: [],
  steps: [...payment("alice", "0.01btc"), BACKING_UP, ...payment("bob", "0.03btc"), ...payment("alice", "0.025btc"), ...RESTORING],
};

/** Alice's folder is that of before her last revocation, and Bob has told her so: she may publish nothing of what she holds. */
export const ROLLED_BACK: Script = {
  name: "rolled-back",
  summary: "Alice's whole folder is an old copy, and she has heard from Bob that it is; the commitment in it is revoked",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: [],
  steps: [
    ...payment("alice", "0.01btc"),
    sent("alice", "pay", ["0.02btc"]),
    taken("bob"),
    ...half("alice"),
    { label: "alice: copies her folder", acts: [{ kind: "copy", who: "alice" }] },
    ...half("bob"),
    {
      label: "alice: has the copy alone; both: reestablish",
      acts: [
        { kind: "roll-back", who: "alice" },
        run("alice", "reestablish"),
        send("alice"),
        run("bob", "reestablish"),
        send("bob"),
        take("alice", "reestablish"),
      ],
    },
  ],
};

const PREIMAGES = ["07".repeat(32), "08".repeat(32), "09".repeat(32)] as const;
/** SHA256 of each. */
const HASHES = [
  "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0",
  "2578ccf8645b2d1dc10c465eff843585970f3a7e22296a92cad55d489a272072",
  "8c0cc17a04942cc4f8e0fe0b302606d3108860c126428ba2ceeb5f9ed41c2b05",
] as const;
/** Well after the height at which a script is stopped, and late enough that a preimage may still be revealed. */
const CLTV_EXPIRY = "440";

function offer(who: Who, amount: string, which: 0 | 1 | 2): Step {
  return sent(who, "add-htlc", [amount], { flags: { paymentHash: HASHES[which], cltvExpiry: CLTV_EXPIRY } });
}

/** HTLCs of both sides at once, one too small for an output; one is fulfilled, one fails, the fee changes. */
export const HTLCS: Script = {
  name: "htlcs",
  summary: "HTLCs both ways at once, one of them dust; one is fulfilled, one fails; anchors, at a real feerate",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: PREIMAGES,
  steps: [
    offer("alice", "0.01btc", 0),
    offer("bob", "0.005btc", 1),
    taken("bob"),
    taken("alice"),
    ...round("alice"),
    ...half("alice"),
    { label: "bob: fulfill-htlc 0", acts: [fulfil("bob", "0", PREIMAGES[0]), send("bob")] },
    taken("alice"),
    ...half("bob"),
    ...half("alice"),
    offer("alice", "300sat", 2),
    taken("bob"),
    sent("alice", "fail-htlc", ["0"]),
    taken("bob"),
    sent("alice", "update-fee", ["3000"]),
    taken("bob"),
    ...half("alice"),
    ...half("bob"),
  ],
};

const close = (who: Who, flags: NonNullable<Call["flags"]> = {}): Step => {
  const words = Object.entries(flags).map(([name, value]) => (name === "script" ? "" : ` --${name} ${String(value)}`));
  return { label: `${who}: close${words.join("")}`, acts: [run(who, "close", [], { flags }), send(who)] };
};

/** Both shutdowns while an HTLC is pending, which is fulfilled then; the close itself is `negotiation`. */
function closingAfter(negotiation: readonly Step[]): readonly Step[] {
  return [
    ...payment("alice", "0.01btc"),
    offer("alice", "0.005btc", 0),
    taken("bob"),
    ...round("alice"),
    close("alice", { script: WALLETS.alice }),
    taken("bob"),
    close("bob", { script: WALLETS.bob }),
    taken("alice"),
    { label: "bob: fulfill-htlc 0", acts: [fulfil("bob", "0", PREIMAGES[0]), send("bob")] },
    taken("alice"),
    ...round("bob"),
    ...negotiation,
  ];
}

/** Each pays for a close of its own. */
export const CLOSE_SIMPLE: Script = {
  name: "close-simple",
  summary: "a payment, then both want to close while an HTLC is pending; closing_complete and closing_sig, each paying for a close of its own",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500, upfront: true },
  preimages: PREIMAGES.slice(0, 1),
  steps: closingAfter([
    close("alice", { fee: "1000sat" }),
    taken("bob"),
    close("bob"),
    taken("alice"),
    close("bob", { fee: "2000sat" }),
    taken("alice"),
    close("alice"),
    taken("bob"),
  ]),
};

/** Two fees are named within ranges before both name the same. */
export const CLOSE_LEGACY: Script = {
  name: "close-legacy",
  summary: "a payment, then both want to close while an HTLC is pending; closing_signed with fee ranges, until both name the same fee",
  opening: { ...BOTH_FUNDED, channelType: "static_remotekey", feeratePerKw: 2500, closesSimply: false },
  preimages: PREIMAGES.slice(0, 1),
  steps: closingAfter([
    close("alice", { fee: "1000sat", feeRange: "500sat-3000sat" }),
    taken("bob"),
    close("bob", { fee: "2000sat", feeRange: "1500sat-2500sat" }),
    taken("alice"),
    close("alice"),
    taken("bob"),
  ]),
};

function fulfil(who: Who, id: string, preimage: string): Act {
  return run(who, "fulfill-htlc", [id], { flags: { preimage: "-", height: "400" }, stdin: preimage });
}

/** One signature and its answer. */
function half(signer: Who): readonly Step[] {
  const verifier = otherThan(signer);
  return [sent(signer, "sign"), taken(verifier), sent(verifier, "make-revocation"), taken(signer)];
}

export const SCRIPTS: readonly Script[] = [ARTICLE, PAYMENTS, CROSSING, HTLCS, OPENING, CLOSE_SIMPLE, CLOSE_LEGACY, RESTORED, ROLLED_BACK, OUTDATED];
