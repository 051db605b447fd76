import type { Call } from "./party.js";
import {
  type Act,
  type Opening,
  type Script,
  type Step,
  type Who,
  run,
  send,
  take,
  check,
  build,
  openingSteps,
  WALLETS,
  otherThan,
} from "./script.js";

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

/** As many HTLCs, as much in them and as much in dust as the two take, to the last msat: one more of each is too many. */
export const LIMITS: Script = {
  name: "limits",
  summary: "HTLCs both ways up to every limit: two at most to Bob, 0.005 BTC at most to Alice, 300 sat at most in dust; anchors, at a real feerate",
  opening: {
    ...BOTH_FUNDED,
    channelType: "anchors",
    feeratePerKw: 2500,
    limits: {
      alice: { maxInFlight: "0.005btc", htlcMinimum: "1000sat", maxDustExposure: "300sat" },
      bob: { maxAcceptedHtlcs: "2", maxDustExposure: "300sat" },
    },
  },
  preimages: PREIMAGES,
  steps: [
    offer("bob", "0.004btc", 1),
    taken("alice"),
    offer("bob", "0.001btc", 1),
    taken("alice"),
    offer("alice", "300sat", 2),
    offer("alice", "0.01btc", 0),
    taken("bob"),
    taken("bob"),
    ...round("alice"),
    ...half("alice"),
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

/** The same backup, lost into a mutual close: it must lose, for a commitment that was revoked since may be there before the close. */
export const OUTDATED_CLOSE: Script = {
  name: "outdated-close",
  summary:
    "both have signed a close, and lose everything but their keys and a backup from before the last payment: what it revoked cannot be punished",
  opening: { ...BOTH_FUNDED, channelType: "anchors", feeratePerKw: 2500 },
  preimages: [],
  steps: [
    ...payment("alice", "0.01btc"),
    BACKING_UP,
    ...payment("bob", "0.03btc"),
    close("alice", { script: WALLETS.alice }),
    taken("bob"),
    close("bob", { script: WALLETS.bob }),
    taken("alice"),
    close("alice", { fee: "1000sat" }),
    taken("bob"),
    close("bob"),
    taken("alice"),
    ...RESTORING,
  ],
};

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

export const SCRIPTS: readonly Script[] = [
  ARTICLE,
  PAYMENTS,
  CROSSING,
  HTLCS,
  LIMITS,
  OPENING,
  CLOSE_SIMPLE,
  CLOSE_LEGACY,
  RESTORED,
  ROLLED_BACK,
  OUTDATED,
  OUTDATED_CLOSE,
];
