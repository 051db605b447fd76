import type { PolicyCode } from "../../src/protocol/policy/rule.js";
import { PREIMAGE, offer, offered, round, withHtlc, withProposedHtlc } from "../support/htlcs.js";
import {
  ANCHORS,
  type FlagTexts,
  type Parties,
  type Terms,
  ZERO_FEE,
  altered,
  parties,
  readJson,
  runCommand,
  send,
  stateOf,
  without,
} from "../support/party.js";
import { type Rule, byState, flagged, rule } from "./rule.js";

type Offer = readonly [amount: string, flags?: FlagTexts];

/** Alice offers an HTLC, in a channel of these terms. */
function whenOffering(
  code: PolicyCode,
  holds: Offer,
  breaks: Offer,
  terms: Terms = ANCHORS,
  before: (p: Parties) => Promise<unknown> = nothing,
): Rule {
  return rule(code, `add-htlc ${breaks[0]} ${Object.values(breaks[1] ?? {}).join()}`, async (broken) => {
    const p = await parties(terms);
    await before(p);
    const [amount, more] = broken ? breaks : holds;
    return { p, act: () => runCommand("add-htlc", [p.alice, amount], offer(more)) };
  });
}

const nothing = () => Promise.resolve();

/** Bob takes in an update_add_htlc of which one field is changed: the receiver trusts no more than the proposer. */
function whenOffered(code: PolicyCode, breaks: Readonly<Record<string, unknown>>, terms: Terms = ANCHORS): Rule {
  return rule(code, `receive an update_add_htlc: ${Object.entries(breaks).join()}`, async (broken) => {
    const p = await parties(terms);
    const file = await send(p, "add-htlc", [p.alice, "0.001btc"], offer());
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(file, broken ? breaks : {}) }) };
  });
}

/** Bob's words for the end of Alice's HTLC, as the next message that Alice gets. */
async function saying(
  p: Parties,
  command: string,
  flags: FlagTexts,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const made = await withHtlc();
  const stdin = command === "fulfill-htlc" ? { stdin: PREIMAGE } : {};
  const { document } = await runCommand(command, [made.bob, "0"], flags, stdin);
  return { ...without(document, "wire"), seq: stateOf(p.alice).messages.lastReceived + 1, ...changes };
}

const ENDS: readonly (readonly [command: string, flags: FlagTexts])[] = [
  ["fulfill-htlc", { preimage: "-" }],
  ["fail-htlc", {}],
  ["fail-htlc", { malformed: "49156" }],
];

/** Bob ends Alice's HTLC in one of the three ways, and Alice takes his word for it, in a channel in which he may or may not. */
function whenEnding(code: PolicyCode, where: string, broken: () => Promise<Parties>): readonly Rule[] {
  return ENDS.flatMap(([command, flags]) => {
    const name = `${command} ${Object.values(flags).join()} ${where}`;
    return [
      rule(code, name, async (isBroken) => {
        const p = isBroken ? await broken() : await withHtlc();
        return { p, act: () => runCommand(command, [p.bob, "0"], flags, command === "fulfill-htlc" ? { stdin: PREIMAGE } : {}) };
      }),
      rule(code, `receive ${name}`, async (isBroken) => {
        const p = isBroken ? await broken() : await withHtlc();
        const stdin = await saying(p, command, flags);
        return { p, act: () => runCommand("receive", [p.alice, "-"], {}, { stdin }) };
      }),
    ];
  });
}

/** Alice's HTLC with its end under way: proposed, or signed by Bob and revoked by Alice as well. */
async function ending(signed: boolean): Promise<Parties> {
  const p = await withHtlc();
  await runCommand("receive", [p.alice, await send(p, "fail-htlc", [p.bob, "0"])]);
  if (signed) {
    await runCommand("receive", [p.alice, await send(p, "sign", [p.bob])]);
    await runCommand("receive", [p.bob, await send(p, "make-revocation", [p.alice])]);
  }
  return p;
}

/** Alice's commitment with her HTLC, signed for broadcast or not; which of its outputs is the HTLC's. */
async function closed(close: boolean): Promise<{ readonly p: Parties; readonly output: string }> {
  const p = await withHtlc();
  const { document } = await runCommand("force-close", [p.alice], close ? {} : { dryRun: true });
  const { outputs } = document as { readonly outputs: readonly { readonly kind: string }[] };
  return { p, output: String(outputs.findIndex(({ kind }) => kind === "offered_htlc")) };
}

const termsWith = (open: FlagTexts, accept: FlagTexts): Terms => ({ open: { ...ANCHORS.open, ...open }, accept: { ...ANCHORS.accept, ...accept } });
const MINIMUM = termsWith({}, { htlcMinimum: "5000msat" });
const ONE = termsWith({}, { maxAcceptedHtlcs: "1" });
const LITTLE = termsWith({}, { maxInFlight: "0.001btc" });
/** Alice's own figure: of dust only the proposer judges, the receiver is warned. */
const NO_DUST = termsWith({ maxDustExposure: "300sat" }, {});

/** The rules of HTLCs and fee changes. */
export const HTLC_RULES: readonly Rule[] = [
  whenOffering("policy-htlc-minimum", ["5000msat"], ["4999msat"], MINIMUM),
  whenOffered("policy-htlc-minimum", { amount_msat: 4999 }, MINIMUM),
  whenOffering("policy-amount-zero", ["1msat"], ["0msat"]),
  whenOffered("policy-amount-zero", { amount_msat: 0 }),
  whenOffered("policy-change-id", { id: 1 }),
  whenOffering("policy-htlc-expiry", ["1sat", { cltvExpiry: "499999999" }], ["1sat", { cltvExpiry: "500000000" }]),
  whenOffered("policy-htlc-expiry", { cltv_expiry: 500_000_000 }),
  rule("policy-htlc-count", "add-htlc beyond max_accepted_htlcs", async (broken) => {
    const p = await parties(ONE);
    if (broken) await offered(p, "alice");
    return { p, act: () => runCommand("add-htlc", [p.alice, "1sat"], offer()) };
  }),
  rule("policy-htlc-count", "an update_add_htlc beyond our max_accepted_htlcs", async (broken) => {
    const p = await parties(ONE);
    const file = await (broken ? offered(p, "alice") : send(p, "add-htlc", [p.alice, "1sat"], offer()));
    const words = broken ? { id: 1, seq: stateOf(p.bob).messages.lastReceived + 1 } : {};
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(file, words) }) };
  }),
  whenOffering("policy-htlc-in-flight", ["0.001btc"], ["100000001msat"], LITTLE),
  whenOffered("policy-htlc-in-flight", { amount_msat: 100_000_001 }, LITTLE),
  whenOffering("policy-balance", ["0.05btc"], ["6000000001msat"]),
  whenOffered("policy-balance", { amount_msat: 6_000_000_001 }),
  // 2500 × (1124 + 172) / 1000 = 3240 sat of fee, 660 sat of anchors, and a reserve of 100000 sat
  whenOffered("policy-reserve", { amount_msat: 5_896_100_001 }),
  whenOffered("policy-fee-unaffordable", { amount_msat: 5_996_100_001 }),
  // Below 354 sat there is no output
  whenOffering("policy-dust-exposure", ["300sat"], ["300001msat"], NO_DUST),
  rule("policy-dust-exposure", "a second add-htlc that is dust", async (broken) => {
    const p = await parties(NO_DUST);
    await offered(p, "alice", broken ? "2sat" : "1sat");
    return { p, act: () => runCommand("add-htlc", [p.alice, "299sat"], offer()) };
  }),
  byState(
    "policy-shutdown",
    "add-htlc after our shutdown",
    () => parties(ANCHORS),
    "alice",
    flagged({ shutdownSent: true }),
    (p) => runCommand("add-htlc", [p.alice, "1sat"], offer()),
  ),
  byState(
    "policy-shutdown",
    "an update_add_htlc after the peer's shutdown",
    () => parties(ANCHORS),
    "bob",
    flagged({ shutdownReceived: true }),
    async (p) => runCommand("receive", [p.bob, "-"], {}, { stdin: readJson(await sentElsewhere()) }),
  ),

  ...whenEnding("policy-htlc-not-committed", "before it is irrevocable", withProposedHtlc),
  ...whenEnding("policy-htlc-removed-twice", "a second time", () => ending(false)),
  ...whenEnding("policy-htlc-removed-twice", "a second time, the first being signed", () => ending(true)),
  rule("policy-preimage-mismatch", "fulfill-htlc with another preimage", async (broken) => {
    const p = await withHtlc();
    const stdin = broken ? PREIMAGE.replace(/0$/, "1") : PREIMAGE;
    return { p, act: () => runCommand("fulfill-htlc", [p.bob, "0"], { preimage: "-" }, { stdin }) };
  }),
  rule("policy-preimage-mismatch", "an update_fulfill_htlc with another preimage", async (broken) => {
    const p = await withHtlc();
    const stdin = await saying(p, "fulfill-htlc", { preimage: "-" }, broken ? { payment_preimage: PREIMAGE.replace(/0$/, "1") } : {});
    return { p, act: () => runCommand("receive", [p.alice, "-"], {}, { stdin }) };
  }),
  // Expiry 500, less 18 blocks
  rule("policy-htlc-deadline", "fulfill-htlc when too few blocks are left", async (broken) => {
    const p = await withHtlc();
    return { p, act: () => runCommand("fulfill-htlc", [p.bob, "0"], { preimage: "-", height: broken ? "483" : "482" }, { stdin: PREIMAGE }) };
  }),
  rule("policy-badonion", "fail-htlc --malformed with a code that does not say so", async (broken) => {
    const p = await withHtlc();
    return { p, act: () => runCommand("fail-htlc", [p.bob, "0"], { malformed: broken ? "16388" : "49156" }) };
  }),
  rule("policy-badonion", "an update_fail_malformed_htlc without the bit", async (broken) => {
    const p = await withHtlc();
    const stdin = await saying(p, "fail-htlc", { malformed: "49156" }, broken ? { failure_code: 16_388 } : {});
    return { p, act: () => runCommand("receive", [p.alice, "-"], {}, { stdin }) };
  }),

  rule("policy-fee-not-opener", "update-fee by the accepter", async (broken) => {
    const p = await parties(ANCHORS);
    return { p, act: () => runCommand("update-fee", [broken ? p.bob : p.alice, "2000"]) };
  }),
  rule("policy-fee-not-opener", "an update_fee of the accepter's", async (broken) => {
    const p = await parties(ANCHORS);
    const words = altered(await send(p, "update-fee", [p.alice, "2000"]), {});
    const to = broken ? p.alice : p.bob;
    const stdin = { ...words, seq: stateOf(to).messages.lastReceived + 1 };
    return { p, act: () => runCommand("receive", [to, "-"], {}, { stdin }) };
  }),
  rule("policy-update-fee", "update-fee where commitments pay no fee", async (broken) => {
    const p = await parties(broken ? ZERO_FEE : ANCHORS);
    return { p, act: () => runCommand("update-fee", [p.alice, "2000"]) };
  }),
  rule("policy-update-fee", "an update_fee where commitments pay no fee", async (broken) => {
    const p = await parties(broken ? ZERO_FEE : ANCHORS);
    const { channel_id } = (await runCommand("status", [p.bob])).document;
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: { type: "update_fee", channel_id, feerate_per_kw: 2000 } }) };
  }),
  ...(["252", "100001"] as const).flatMap((rate) => [
    rule("policy-feerate-range", `update-fee ${rate}`, async (broken) => {
      const p = await parties(ANCHORS);
      return { p, act: () => runCommand("update-fee", [p.alice, broken ? rate : "253"]) };
    }),
    rule("policy-feerate-range", `an update_fee to ${rate}`, async (broken) => {
      const p = await parties(ANCHORS);
      const words = await send(p, "update-fee", [p.alice, "100000"]);
      return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(words, broken ? { feerate_per_kw: Number(rate) } : {}) }) };
    }),
  ]),
  // Alice keeps 0.0011 BTC: at 97000 it costs 109028 + 660 sat, at 98000 110152 + 660
  rule("policy-fee-unaffordable", "update-fee beyond what the opener has", async (broken) => {
    const p = await parties(ANCHORS);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.0589btc"])]);
    return { p, act: () => runCommand("update-fee", [p.alice, broken ? "98000" : "97000"]) };
  }),
  rule("policy-fee-unaffordable", "an update_fee beyond what the opener has", async (broken) => {
    const p = await parties(ANCHORS);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.0589btc"])]);
    const words = await send(p, "update-fee", [p.alice, "97000"]);
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(words, broken ? { feerate_per_kw: 98_000 } : {}) }) };
  }),

  rule("policy-htlc-tx-before-close", "htlc-tx of a commitment that is to go on", async (broken) => {
    const { p, output } = await closed(!broken);
    return { p, act: () => runCommand("htlc-tx", [p.alice], { outputIndex: output, height: "500" }) };
  }),
  rule("policy-htlc-not-expired", "htlc-tx a block too early", async (broken) => {
    const { p, output } = await closed(true);
    return { p, act: () => runCommand("htlc-tx", [p.alice], { outputIndex: output, height: broken ? "499" : "500" }) };
  }),
  rule("policy-preimage-mismatch", "htlc-tx with another preimage", async (broken) => {
    const p = await parties(ANCHORS);
    await offered(p, "bob");
    await round(p, "bob");
    const { document } = await runCommand("force-close", [p.alice]);
    const { outputs } = document as { readonly outputs: readonly { readonly kind: string }[] };
    const output = String(outputs.findIndex(({ kind }) => kind === "received_htlc"));
    const preimage = broken ? PREIMAGE.replace(/0$/, "1") : PREIMAGE;
    return { p, act: () => runCommand("htlc-tx", [p.alice], { outputIndex: output, preimage: "-" }, { stdin: preimage }) };
  }),
];

/** An update_add_htlc of Alice's, in a channel that is like all others. */
async function sentElsewhere(): Promise<string> {
  const p = await parties(ANCHORS);
  return send(p, "add-htlc", [p.alice, "1sat"], offer());
}
