import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/protocol/errors.js";
import type { PolicyCode } from "../../src/protocol/policy/rule.js";
import type { FundedChannel } from "../../src/protocol/channel/state.js";
import { msat } from "../../src/protocol/units.js";
import {
  ANCHORS,
  ARTICLE,
  type FlagTexts,
  OUTPOINT,
  type Parties,
  type Terms,
  ZERO_FEE,
  afterStep,
  altered,
  backupOf,
  editState,
  messageOf,
  parties,
  readJson,
  refusedAsIs,
  runCommand,
  send,
  stateOf,
  without,
} from "../support/party.js";
import { BUMP_RULES } from "./bump-rules.js";
import { CLOSING_RULES } from "./closing-rules.js";
import { HTLC_RULES } from "./htlc-rules.js";
import { type Rule, byState, flagged, rule } from "./rule.js";

/** One side's proposals, as if it had made these payments. */
const withPending = (by: "local" | "remote", amounts: readonly bigint[]) => (state: FundedChannel) => ({
  ...state,
  changes: {
    ...state.changes,
    [by]: amounts.map((amount, id) => ({ content: { kind: "pay" as const, id: BigInt(id), amountMsat: msat(amount) }, stage: "proposed" as const })),
  },
  nextIds: { ...state.nextIds, [by]: { ...state.nextIds[by], pay: BigInt(amounts.length) } },
});

/** Alice proposes a channel, with an option in which the rule holds or is broken. */
function whenOpening(code: PolicyCode, holds: FlagTexts, breaks: FlagTexts, { open }: Terms = ARTICLE): Rule {
  return rule(code, "open-channel", async (broken) => {
    const p = await parties(ARTICLE, "keys");
    return { p, act: () => runCommand("open-channel", [p.alice], { ...open, ...(broken ? breaks : holds) }) };
  });
}

/** Bob answers an open_channel of which one field is changed. */
function whenAccepting(
  code: PolicyCode,
  holds: Readonly<Record<string, unknown>>,
  breaks: Readonly<Record<string, unknown>>,
  terms: Terms = ARTICLE,
): Rule {
  return rule(code, `accept-channel: ${Object.keys(breaks).join()}`, async (broken) => {
    const p = await parties(terms, "proposed");
    const message = altered(join(p.wire, "0001-alice-open_channel.json"), broken ? breaks : holds);
    return { p, act: () => runCommand("accept-channel", [p.bob, "-"], terms.accept, { stdin: message }) };
  });
}

/** Alice takes in an accept_channel of which one field is changed. */
function whenAccepted(
  code: PolicyCode,
  holds: Readonly<Record<string, unknown>>,
  breaks: Readonly<Record<string, unknown>>,
  terms: Terms = ARTICLE,
): Rule {
  return rule(code, `accept_channel: ${Object.keys(breaks).join()}`, async (broken) => {
    const p = await parties(terms, "accepted");
    const message = altered(join(p.wire, "0001-bob-accept_channel.json"), broken ? breaks : holds);
    return { p, act: () => runCommand("receive", [p.alice, "-"], {}, { stdin: message }) };
  });
}

/** Alice pays, in a channel of these terms. */
function whenPaying(code: PolicyCode, holds: string, breaks: string, terms: Terms = ARTICLE): Rule {
  return rule(code, `pay ${breaks}`, async (broken) => {
    const p = await parties(terms);
    return { p, act: () => runCommand("pay", [p.alice, broken ? breaks : holds]) };
  });
}

/** Bob takes in a pay of which one field is changed: the receiver trusts no more than the proposer. */
function whenPaid(code: PolicyCode, breaks: Readonly<Record<string, unknown>>, terms: Terms = ARTICLE): Rule {
  return rule(code, `receive a pay: ${Object.keys(breaks).join()}`, async (broken) => {
    const p = await parties(terms);
    const file = await send(p, "pay", [p.alice, "0.02btc"]);
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(file, broken ? breaks : {}) }) };
  });
}

/** Alice's outputs are dust below 1000 sat. */
const HIGH_DUST_LIMIT: Terms = { ...ARTICLE, open: { ...ARTICLE.open, dustLimit: "1000sat" } };

const PENALTY = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500" };

/** The whole update, after which Alice publishes her old or her newest commitment. */
async function published(old: boolean): Promise<Parties & { readonly tx: string }> {
  const p = await afterStep(20);
  const cheater = old ? (await afterStep(13)).alice : backupOf(p.alice);
  const { document } = await runCommand("force-close", [cheater]);
  return { ...p, tx: JSON.stringify(document) };
}

/** The pay and the signature of Alice's next round, with what Bob revoked before. */
async function secondRound(p: Parties) {
  await runCommand("receive-revocation", [p.alice, await send(p, "make-revocation", [p.bob])]);
  return { pay: await send(p, "pay", [p.alice, "0.01btc"]), signed: await send(p, "sign", [p.alice]) };
}

const RULES: readonly Rule[] = [
  // 0: the funding waits for the peer's signature of our commitment 0
  rule("policy-funding-unverified", "release-funding before the funding_signed", async (broken) => {
    const p = await parties(ARTICLE, "signed");
    return { p, act: () => runCommand("release-funding", broken ? [p.alice] : [p.alice, join(p.wire, "0002-bob-funding_signed.json")]) };
  }),
  rule("policy-funding-unverified", "channel-ready before the funding_signed", async (broken) => {
    const p = await parties(ARTICLE, broken ? "signed" : "released");
    return { p, act: () => runCommand("channel-ready", [p.alice]) };
  }),

  // 1: which of the peer's commitments may be signed
  rule("policy-sign-unrevoked", "sign a third one before the first is revoked", async (broken) => {
    const p = await afterStep(8);
    if (!broken) await runCommand("receive-revocation", [p.alice, messageOf(p, "bobRevoked")]);
    await runCommand("pay", [p.alice, "0.01btc"]);
    return { p, act: () => runCommand("sign", [p.alice]) };
  }),
  byState(
    "policy-sign-point-unknown",
    "sign without the peer's point",
    () => afterStep(1),
    "alice",
    (state) => ({ ...state, remoteNextPoint: null }),
    (p) => runCommand("sign", [p.alice]),
  ),
  rule("policy-sign-no-changes", "sign with nothing new", async (broken) => {
    const p = await afterStep(broken ? 0 : 1);
    return { p, act: () => runCommand("sign", [p.alice]) };
  }),
  rule("policy-sign-no-changes", "sign one's own change before the peer has acknowledged it in turn", async (broken) => {
    // Bob's next signature takes Alice's payment up only when he has revoked: before, there is nothing for her commitment
    const p = await afterStep(broken ? 7 : 8);
    return { p, act: () => runCommand("sign", [p.bob]) };
  }),

  // 2: the same number again only with the same contents
  rule("policy-sign-different", "sign a signed number with other contents", async (broken) => {
    const p = await afterStep(2);
    const { document } = await runCommand("build-commitment", [p.alice], { owner: "remote" });
    const { unsigned_tx: tx, ...rest } = document as { readonly unsigned_tx: string };
    const other = tx.replace(/.$/, (digit) => (parseInt(digit, 16) ^ 1).toString(16));
    return { p, act: () => runCommand("sign", [p.alice, "-"], {}, { stdin: { ...rest, unsigned_tx: broken ? other : tx } }) };
  }),
  rule("policy-sign-different", "create-funding for a second outpoint", async (broken) => {
    const p = await parties(ARTICLE, "created");
    const outpoint = broken ? OUTPOINT.replace(/0$/, "1") : OUTPOINT;
    return { p, act: () => runCommand("create-funding", [p.alice], { outpoint }) };
  }),

  // 3: a secret leaves when its commitment is replaced; a signature is taken when the one before is answered
  rule("policy-revoke-unverified", "make-revocation before the next signature is stored", async (broken) => {
    const p = await afterStep(broken ? 6 : 7);
    return { p, act: () => runCommand("make-revocation", [p.bob]) };
  }),
  rule("policy-commitment-unanswered", "a second commitment_signed before our revocation", async (broken) => {
    const p = await afterStep(7);
    const unanswered = backupOf(p.bob);
    const { pay, signed } = await secondRound(p);
    const bob = broken ? unanswered : p.bob;
    await runCommand("receive", [bob, pay]);
    return { p, act: () => runCommand("receive", [bob, "-"], {}, { stdin: altered(signed, { seq: stateOf(bob).messages.lastReceived + 1 }) }) };
  }),
  rule("policy-commitment-no-changes", "a commitment_signed without a change before it", async (broken) => {
    const p = await afterStep(broken ? 3 : 4);
    const message = without(readJson(messageOf(p, "aliceSigned")), "seq");
    return { p, act: () => runCommand("verify-sig", [p.bob, "-"], {}, { stdin: message }) };
  }),

  // 4: what is taken for a revocation
  rule("policy-revocation-unexpected", "a revocation before the next commitment is signed", async (broken) => {
    const early = await afterStep(1);
    const p = await afterStep(8);
    return { p, act: () => runCommand("receive-revocation", [broken ? early.alice : p.alice, messageOf(p, "bobRevoked")]) };
  }),
  rule("policy-revocation-wrong-secret", "a secret one bit off", async (broken) => {
    const p = await afterStep(8);
    const { per_commitment_secret: secret } = readJson(messageOf(p, "bobRevoked")) as { readonly per_commitment_secret: string };
    const off = (parseInt(secret.slice(-1), 16) ^ 1).toString(16);
    const message = altered(messageOf(p, "bobRevoked"), { per_commitment_secret: secret.slice(0, -1) + (broken ? off : secret.slice(-1)) });
    return { p, act: () => runCommand("receive-revocation", [p.alice, "-"], {}, { stdin: message }) };
  }),

  // 5: own commitments are signed for broadcast by force-close alone, and only the newest
  ...[1, 5].map((step) =>
    rule("policy-sign-own-commitment", `build-commitment --owner local | sign, after step ${step}`, async (broken) => {
      const p = await afterStep(step);
      const party = step === 1 ? p.alice : p.bob;
      // Bob has nothing to sign before he has revoked: the valid case is Alice's
      const signer = broken ? party : p.alice;
      const { document } = await runCommand("build-commitment", [signer], { owner: broken ? "local" : "remote" });
      return { p, act: () => runCommand("sign", [signer, "-"], {}, { stdin: document }) };
    }),
  ),
  rule("policy-sign-own-commitment", "build-commitment --owner local --preview | sign", async (broken) => {
    const p = await afterStep(1);
    const { document } = await runCommand("build-commitment", [p.alice], { owner: broken ? "local" : "remote", preview: true });
    return { p, act: () => runCommand("sign", [p.alice, "-"], {}, { stdin: document }) };
  }),
  rule("policy-broadcast-revoked", "force-close the one before the newest", async (broken) => {
    const p = await afterStep(7);
    return { p, act: () => runCommand("force-close", [p.bob], { number: broken ? "0" : "1" }) };
  }),
  rule("policy-broadcast-revoked", "force-close a revoked one", async (broken) => {
    const p = await afterStep(18);
    return { p, act: () => runCommand("force-close", [p.alice], { number: broken ? "0" : "1" }) };
  }),
  rule("policy-broadcast-revoked", "force-close one that is not there yet", async (broken) => {
    const p = await afterStep(16);
    return { p, act: () => runCommand("force-close", [p.alice], { number: broken ? "1" : "0" }) };
  }),
  rule("policy-broadcast-unverified", "force-close before the funding_signed", async (broken) => {
    const p = await parties(ARTICLE, broken ? "signed" : "released");
    return { p, act: () => runCommand("force-close", [p.alice]) };
  }),

  // 6: nothing new once something is signed for broadcast, a mutual close signed or shutdown sent
  byState(
    "policy-revoke-broadcast",
    "make-revocation of what was signed for broadcast",
    () => afterStep(7),
    "bob",
    flagged({ forceClosed: 0 }),
    (p) => runCommand("make-revocation", [p.bob]),
  ),
  ...(["forceClosed", "closingSigned"] as const).flatMap((flag) => {
    const code = flag === "forceClosed" ? "policy-force-closed" : "policy-closing-signed";
    const edit = flagged(flag === "forceClosed" ? { forceClosed: 0 } : { closingSigned: true });
    return [
      byState(
        code,
        "pay",
        () => afterStep(0),
        "alice",
        edit,
        (p) => runCommand("pay", [p.alice, "0.02btc"]),
      ),
      byState(
        code,
        "receive a pay",
        () => afterStep(3),
        "bob",
        edit,
        (p) => runCommand("receive", [p.bob, messageOf(p, "pay")]),
      ),
      byState(
        code,
        "sign",
        () => afterStep(1),
        "alice",
        edit,
        (p) => runCommand("sign", [p.alice]),
      ),
      byState(
        code,
        "verify-sig",
        () => afterStep(6),
        "bob",
        edit,
        (p) => runCommand("verify-sig", [p.bob, messageOf(p, "aliceSigned")]),
      ),
    ];
  }),
  // 8: who has lost state does nothing new
  byState(
    "policy-behind",
    "pay",
    () => afterStep(0),
    "alice",
    flagged({ behind: true }),
    (p) => runCommand("pay", [p.alice, "0.02btc"]),
  ),
  byState(
    "policy-behind",
    "receive a pay",
    () => afterStep(3),
    "bob",
    flagged({ behind: true }),
    (p) => runCommand("receive", [p.bob, messageOf(p, "pay")]),
  ),
  byState(
    "policy-behind",
    "sign",
    () => afterStep(1),
    "alice",
    flagged({ behind: true }),
    (p) => runCommand("sign", [p.alice]),
  ),
  byState(
    "policy-behind",
    "verify-sig",
    () => afterStep(6),
    "bob",
    flagged({ behind: true }),
    (p) => runCommand("verify-sig", [p.bob, messageOf(p, "aliceSigned")]),
  ),
  byState(
    "policy-behind",
    "make-revocation",
    () => afterStep(7),
    "bob",
    flagged({ behind: true }),
    (p) => runCommand("make-revocation", [p.bob]),
  ),
  rule("policy-force-closed", "sign after force-close", async (broken) => {
    const p = await afterStep(1);
    if (broken) await runCommand("force-close", [p.alice]);
    return { p, act: () => runCommand("sign", [p.alice]) };
  }),
  byState(
    "policy-shutdown",
    "pay after our shutdown",
    () => afterStep(0),
    "alice",
    flagged({ shutdownSent: true }),
    (p) => runCommand("pay", [p.alice, "0.02btc"]),
  ),
  byState(
    "policy-shutdown",
    "a pay after the peer's shutdown",
    () => afterStep(3),
    "bob",
    flagged({ shutdownReceived: true }),
    (p) => runCommand("receive", [p.bob, messageOf(p, "pay")]),
  ),

  // 7: what may be proposed
  rule("policy-pay-not-agreed", "pay where the peer did not agree to it", async (broken) => {
    const p = await parties({ ...ARTICLE, accept: { ...ARTICLE.accept, ...(broken ? { withoutPay: true } : {}) } });
    return { p, act: () => runCommand("pay", [p.alice, "0.02btc"]) };
  }),
  rule("policy-pay-not-agreed", "pay where it was not proposed", async (broken) => {
    const p = await parties({ ...ARTICLE, open: { ...ARTICLE.open, push: "0.05btc", ...(broken ? { withoutPay: true } : {}) } });
    return { p, act: () => runCommand("pay", [p.bob, "0.02btc"]) };
  }),
  rule("policy-channel-not-open", "pay before channel_ready", async (broken) => {
    const p = await parties(ARTICLE, broken ? "released" : "open");
    return { p, act: () => runCommand("pay", [p.alice, "0.02btc"]) };
  }),
  whenPaying("policy-amount-zero", "1msat", "0msat"),
  whenPaid("policy-amount-zero", { amount_msat: 0 }),
  whenPaid("policy-change-id", { id: 1 }),
  whenPaying("policy-balance", "9900000sat", "10000000001msat"),
  whenPaid("policy-balance", { amount_msat: "10000000001" }),
  rule("policy-balance", "pay what is proposed but not acknowledged yet", async (broken) => {
    const p = await afterStep(broken ? 4 : 20);
    return { p, act: () => runCommand("pay", [p.bob, "0.01btc"]) };
  }),
  // The fee: 2500 × 1124 / 1000 = 2810 sat, anchors 660 sat. Alice has 0.06 BTC, must keep 1 %
  whenPaying("policy-fee-unaffordable", "5896530sat", "5996531sat", ANCHORS),
  whenPaid("policy-fee-unaffordable", { amount_msat: 5_996_531_000 }, ANCHORS),
  whenPaying("policy-reserve", "5896530sat", "5896530001msat", ANCHORS),
  whenPaying("policy-reserve", "9900000sat", "9900000001msat"),
  whenPaid("policy-reserve", { amount_msat: "9900000001" }),

  // Of Alice's 0.06 BTC 3140 sat are left: the fee of 2810 and Bob's anchor of 330
  rule("policy-commitment-underpaid", "sign a commitment that can't pay its fee", async (broken) => {
    const p = await parties(ANCHORS);
    await runCommand("pay", [p.alice, "0.01btc"]);
    editState(p.alice, withPending("local", [broken ? 5_996_861_000n : 5_996_860_000n]));
    return { p, act: () => runCommand("sign", [p.alice]) };
  }),
  rule("policy-commitment-underpaid", "verify one", async (broken) => {
    const p = await parties(ANCHORS);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
    editState(p.alice, withPending("local", [5_996_860_000n]));
    editState(p.bob, withPending("remote", [broken ? 5_996_861_000n : 5_996_860_000n]));
    const signed = await send(p, "sign", [p.alice]);
    return { p, act: () => runCommand("verify-sig", [p.bob, signed]) };
  }),
  rule("policy-pending-limit", "pay while 483 payments are under way", async (broken) => {
    const p = await parties();
    editState(p.alice, withPending("local", new Array<bigint>(broken ? 483 : 482).fill(1n)));
    return { p, act: () => runCommand("pay", [p.alice, "1sat"]) };
  }),
  rule("policy-pending-limit", "a pay while 483 are under way", async (broken) => {
    const p = await parties();
    const pay = await send(p, "pay", [p.alice, "1sat"]);
    editState(p.bob, withPending("remote", new Array<bigint>(broken ? 483 : 482).fill(1n)));
    const id = stateOf(p.bob).nextIds.remote.pay;
    return { p, act: () => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(pay, { id: Number(id) }) }) };
  }),

  // Opening
  whenOpening("policy-funding-too-large", { funding: "16777215sat" }, { funding: "16777216sat" }),
  whenAccepting("policy-funding-too-large", { funding_satoshis: 16_777_215 }, { funding_satoshis: 16_777_216 }),
  whenOpening("policy-push-exceeds-funding", { push: "0.1btc" }, { push: "10000000001msat" }),
  whenAccepting("policy-push-exceeds-funding", { push_msat: 10_000_000_000 }, { push_msat: 10_000_000_001 }),
  whenOpening("policy-feerate-range", { feerate: "253", minFeerate: "253" }, { feerate: "252", minFeerate: "253" }),
  whenOpening("policy-feerate-range", { feerate: "500", maxFeerate: "500" }, { feerate: "501", maxFeerate: "500" }),
  whenAccepting("policy-feerate-range", { feerate_per_kw: 253 }, { feerate_per_kw: 252 }, ANCHORS),
  whenOpening("policy-feerate-not-zero", { feerate: "0" }, { feerate: "253" }, ZERO_FEE),
  whenAccepting("policy-feerate-not-zero", { feerate_per_kw: 0 }, { feerate_per_kw: 253 }, ZERO_FEE),
  whenOpening("policy-initial-fee-unaffordable", { push: "9996530sat" }, { push: "9996530001msat" }, ANCHORS),
  whenAccepting("policy-initial-fee-unaffordable", { push_msat: 9_996_530_000 }, { push_msat: 9_996_530_001 }, ANCHORS),
  whenAccepting("policy-delay-too-long", { to_self_delay: 2016 }, { to_self_delay: 2017 }),
  whenAccepted("policy-delay-too-long", { to_self_delay: 2016 }, { to_self_delay: 2017 }),
  whenAccepting("policy-delay-zero", { to_self_delay: 1 }, { to_self_delay: 0 }),
  whenAccepted("policy-delay-zero", { to_self_delay: 1 }, { to_self_delay: 0 }),
  whenOpening("policy-dust-limit-too-small", { dustLimit: "354sat" }, { dustLimit: "353sat" }),
  whenAccepting("policy-dust-limit-too-small", { dust_limit_satoshis: 354 }, { dust_limit_satoshis: 353 }),
  whenAccepted("policy-dust-limit-too-small", { dust_limit_satoshis: 354 }, { dust_limit_satoshis: 353 }),
  whenOpening("policy-dust-limit-too-large", { dustLimit: "10000sat" }, { dustLimit: "10001sat" }),
  whenAccepting("policy-dust-limit-too-large", { dust_limit_satoshis: 10_000 }, { dust_limit_satoshis: 10_001 }),
  whenOpening("policy-dust-limit-above-reserve", { dustLimit: "400sat", reserve: "400sat" }, { dustLimit: "400sat", reserve: "399sat" }),
  whenAccepting(
    "policy-dust-limit-above-reserve",
    { dust_limit_satoshis: 400, channel_reserve_satoshis: 400 },
    { dust_limit_satoshis: 400, channel_reserve_satoshis: 399 },
  ),
  whenOpening("policy-max-accepted-htlcs", { maxAcceptedHtlcs: "483" }, { maxAcceptedHtlcs: "484" }),
  whenAccepting("policy-max-accepted-htlcs", { max_accepted_htlcs: 483 }, { max_accepted_htlcs: 484 }),
  whenAccepted("policy-max-accepted-htlcs", { max_accepted_htlcs: 483 }, { max_accepted_htlcs: 484 }),
  whenAccepted("policy-reserve-below-dust", { channel_reserve_satoshis: 1000 }, { channel_reserve_satoshis: 999 }, HIGH_DUST_LIMIT),
  rule("policy-reserve-below-dust", "accept-channel with a reserve below the opener's dust limit", async (broken) => {
    const p = await parties(HIGH_DUST_LIMIT, "proposed");
    const file = join(p.wire, "0001-alice-open_channel.json");
    return { p, act: () => runCommand("accept-channel", [p.bob, file], { ...ARTICLE.accept, reserve: broken ? "999sat" : "1000sat" }) };
  }),
  whenAccepting("policy-initial-balances", { channel_reserve_satoshis: 9_999_999 }, { channel_reserve_satoshis: 10_000_000 }),
  whenAccepted("policy-initial-balances", { channel_reserve_satoshis: 9_999_999 }, { channel_reserve_satoshis: 10_000_000 }),
  whenAccepting("policy-channel-type", { channel_type: "1000" }, { channel_type: "3000" }),
  whenAccepted("policy-channel-type", { channel_type: "1000" }, { channel_type: "401000" }),
  rule("policy-chain", "accept-channel on another chain", async (broken) => {
    const p = await parties(ARTICLE, "proposed");
    const file = join(p.wire, "0001-alice-open_channel.json");
    return { p, act: () => runCommand("accept-channel", [p.bob, file], { ...ARTICLE.accept, chain: broken ? "signet" : "regtest" }) };
  }),

  ...HTLC_RULES,
  ...BUMP_RULES,
  ...CLOSING_RULES,

  // 8 and the punishment
  byState(
    "policy-broadcast-behind",
    "force-close after having lost state",
    () => afterStep(20),
    "alice",
    flagged({ behind: true }),
    (p) => runCommand("force-close", [p.alice]),
  ),
  rule("policy-penalty-not-revoked", "penalty-tx on the current commitment", async (broken) => {
    const { tx, ...p } = await published(!broken);
    return { p, act: () => runCommand("penalty-tx", [p.bob], { ...PENALTY, tx: "-" }, { stdin: tx }) };
  }),
  rule("policy-penalty-not-revoked", "penalty-tx before the revocation has come", async (broken) => {
    const p = await afterStep(broken ? 19 : 20);
    const { document } = await runCommand("force-close", [(await afterStep(13)).alice]);
    return { p, act: () => runCommand("penalty-tx", [p.bob], { ...PENALTY, tx: "-" }, { stdin: document }) };
  }),
  rule("policy-sweep-immature", "sweep our to_local a block before its delay is over", async (broken) => {
    const { tx, ...p } = await published(false);
    const chain = { confirmed: "100", height: broken ? "242" : "243" };
    return { p, act: () => runCommand("sweep", [p.alice], { ...PENALTY, ...chain, tx: "-" }, { stdin: tx }) };
  }),
  rule("policy-broadcast-unsigned", "broadcast a commitment that a copy has signed", async (broken) => {
    const p = await afterStep(20);
    const { document } = await runCommand("force-close", [broken ? backupOf(p.alice) : p.alice]);
    return { p, act: () => runCommand("broadcast", [p.alice, "-"], { dryRun: true }, { stdin: document }) };
  }),
  rule("policy-broadcast-marked", "broadcast a test case's report", async (broken) => {
    const p = await afterStep(20);
    const { document } = await runCommand("force-close", [p.alice]);
    const stdin = broken ? { ...document, not_for_broadcast: "a test case" } : document;
    return { p, act: () => runCommand("broadcast", [p.alice, "-"], { dryRun: true }, { stdin }) };
  }),
  rule("policy-broadcast-mainnet", "broadcast on the main chain without saying so", async (broken) => {
    const p = await afterStep(20);
    editState(p.alice, (state) => ({ ...state, chain: "bitcoin" }));
    const { document } = await runCommand("force-close", [p.alice]);
    const flags: FlagTexts = broken ? {} : { mainnet: true };
    return { p, act: () => runCommand("broadcast", [p.alice, "-"], { dryRun: true, ...flags }, { stdin: document }) };
  }),
  rule("policy-vector-channel", "penalty-tx in a test case", async (broken) => {
    const { tx, ...p } = await published(true);
    if (broken) editState(p.bob, (state) => ({ ...state, purpose: "vector" }));
    return { p, act: () => runCommand("penalty-tx", [p.bob], { ...PENALTY, tx: "-" }, { stdin: tx }) };
  }),
];

describe("a valid case passes; with one thing changed it is refused under its own tag, and no file is touched", () => {
  test.each(RULES.map((one) => [`${one.code}: ${one.where}`, one] as const))("%s", async (_, { code, attempt }) => {
    const valid = await attempt(false);
    await valid.act();
    const broken = await attempt(true);
    const error = await refusedAsIs(broken.p, broken.act);
    expect(error.code, error.message).toBe(code);
  });

  test("every policy- code is among them", () => {
    const covered = new Set<string>(RULES.map(({ code }) => code));
    const missing = Object.keys(ERROR_CODES).filter((code) => code.startsWith("policy-") && !covered.has(code));
    expect(missing).toEqual([]);
  });
});
