import { scriptPubkey } from "../../src/protocol/bytes.js";
import type { FundedChannel } from "../../src/protocol/channel/state.js";
import type { PolicyCode } from "../../src/protocol/policy/rule.js";
import { ALICE_SCRIPT, LEGACY, type Name, PAID, SIMPLE, edited, exchange, hears, offered, says, shut } from "../support/closing.js";
import { type FlagTexts, type Parties, type Terms, backupOf, editState, parties, runCommand } from "../support/party.js";
import { type Rule, rule } from "./rule.js";

type Fields = Readonly<Record<string, unknown>>;

const TAPROOT = `5120${"aa".repeat(32)}`;
const RETURN = `6a06${"aa".repeat(6)}`;
const P2PKH = `76a914${"aa".repeat(20)}88ac`;
const UPFRONT: Terms = { ...SIMPLE, open: { ...SIMPLE.open, upfrontShutdownScript: ALICE_SCRIPT } };
const WITHOUT_ANYSEGWIT: Terms = { ...SIMPLE, open: { ...SIMPLE.open, withoutAnysegwit: true } };

/** One says what holds, or what does not. */
function whenClosing(code: PolicyCode, where: string, start: () => Promise<Parties>, who: Name, holds: FlagTexts, breaks: FlagTexts): Rule {
  return rule(code, `close: ${where}`, async (broken) => {
    const p = await start();
    return { p, act: () => says(p, who, broken ? breaks : holds) };
  });
}

/** Bob hears Alice's shutdown, of which something is changed. */
function whenShut(code: PolicyCode, terms: Terms, breaks: Fields): Rule {
  return rule(code, `receive a shutdown: ${JSON.stringify(breaks)}`, async (broken) => {
    const p = await parties(terms);
    const shutdown = await says(p, "alice", PAID.alice);
    return { p, act: () => hears(p, "bob", broken ? edited(shutdown, breaks) : shutdown) };
  });
}

/** Bob hears Alice's offer, of which something is changed. */
function whenOffered(code: PolicyCode, where: string, breaks: (message: Fields) => Fields, flags: FlagTexts = { fee: "500sat" }): Rule {
  return rule(code, `receive a closing_complete: ${where}`, async (broken) => {
    const { offer, ...p } = await offered(SIMPLE, flags);
    return { p, act: () => hears(p, "bob", broken ? edited(offer, breaks(offer)) : offer) };
  });
}

/** Alice hears Bob's answer, of which something is changed. */
function whenAnswered(code: PolicyCode, where: string, breaks: (message: Fields) => Fields): Rule {
  return rule(code, `receive a closing_sig: ${where}`, async (broken) => {
    const { offer, ...p } = await offered(SIMPLE, { fee: "500sat" });
    await hears(p, "bob", offer);
    const answer = await says(p, "bob");
    return { p, act: () => hears(p, "alice", broken ? edited(answer, breaks(answer)) : answer) };
  });
}

/** Bob hears what is due, and in the broken case has another state. */
function byBobsState(code: PolicyCode, where: string, terms: Terms, flags: FlagTexts, edit: (state: FundedChannel) => FundedChannel): Rule {
  return rule(code, where, async (broken) => {
    const { offer, ...p } = await offered(terms, flags);
    if (broken) editState(p.bob, edit);
    return { p, act: () => hears(p, "bob", offer) };
  });
}

/** Legacy: Alice's offer has come to Bob. */
async function answering(flags: FlagTexts): Promise<Parties> {
  const { offer, ...p } = await offered(LEGACY, flags);
  await hears(p, "bob", offer);
  return p;
}

const RANGED = { fee: "1000sat", feeRange: "500sat-1500sat" } as const;

/** Both sides' rules of a mutual close. */
export const CLOSING_RULES: readonly Rule[] = [
  rule("policy-shutdown-unfunded", "close before the funding_signed", async (broken) => {
    const p = await parties(SIMPLE, broken ? "signed" : "released");
    return { p, act: () => says(p, "alice", PAID.alice) };
  }),
  rule("policy-shutdown-pending", "close with a payment that is not signed", async (broken) => {
    const p = await parties(SIMPLE);
    await runCommand("pay", [p.alice, "1000sat"]);
    if (!broken) await runCommand("sign", [p.alice]);
    return { p, act: () => says(p, "alice", PAID.alice) };
  }),
  rule("policy-shutdown-pending", "receive a shutdown after a payment that is not signed", async (broken) => {
    const p = await parties(SIMPLE);
    const shutdown = edited(await says({ ...p, alice: backupOf(p.alice) }, "alice", PAID.alice), { seq: undefined });
    const { document: pay } = await runCommand("pay", [p.alice, "1000sat"]);
    if (broken) await hears(p, "bob", pay);
    return { p, act: () => hears(p, "bob", shutdown) };
  }),
  whenClosing("policy-shutdown-script", "a later witness version", () => parties(WITHOUT_ANYSEGWIT), "alice", PAID.alice, { script: TAPROOT }),
  whenClosing("policy-shutdown-script", "OP_RETURN", () => parties(LEGACY), "alice", { script: TAPROOT }, { script: RETURN }),
  whenClosing("policy-shutdown-script", "P2PKH", () => parties(LEGACY), "alice", PAID.alice, { script: P2PKH }),
  whenShut("policy-shutdown-script", SIMPLE, { scriptpubkey: P2PKH }),
  whenShut("policy-shutdown-script", WITHOUT_ANYSEGWIT, { scriptpubkey: TAPROOT }),
  whenShut("policy-shutdown-script", LEGACY, { scriptpubkey: RETURN }),
  whenOffered("policy-shutdown-script", "a script of no form", () => ({ closer_scriptpubkey: "51" })),
  whenClosing("policy-shutdown-upfront", "another script", () => parties(UPFRONT), "alice", { script: ALICE_SCRIPT }, { script: TAPROOT }),
  whenClosing(
    "policy-shutdown-upfront",
    "another script in a later round",
    () => shut(UPFRONT),
    "alice",
    { fee: "500sat" },
    { fee: "500sat", script: TAPROOT },
  ),
  whenShut("policy-shutdown-upfront", UPFRONT, { scriptpubkey: TAPROOT }),
  rule("policy-shutdown-script", "open-channel with a script that no close may pay to", async (broken) => {
    const p = await parties(SIMPLE, "keys");
    return { p, act: () => runCommand("open-channel", [p.alice], { ...SIMPLE.open, upfrontShutdownScript: broken ? "51" : ALICE_SCRIPT }) };
  }),
  whenClosing("policy-shutdown-changed", "another script", () => shut(LEGACY), "alice", PAID.alice, { script: TAPROOT }),
  rule("policy-shutdown-changed", "receive another shutdown", async (broken) => {
    const p = await parties(LEGACY);
    const shutdown = await says(p, "alice", PAID.alice);
    await hears(p, "bob", shutdown);
    const again = edited(shutdown, { seq: Number(shutdown["seq"]) + 1, scriptpubkey: broken ? TAPROOT : shutdown["scriptpubkey"] });
    return { p, act: () => hears(p, "bob", again) };
  }),
  rule("policy-shutdown-cleared", "update-fee after shutdown", async (broken) => {
    const p = await parties(SIMPLE);
    if (broken) await says(p, "alice", PAID.alice);
    return { p, act: () => runCommand("update-fee", [p.alice, "3000"]) };
  }),

  byBobsState("policy-closing-early", "a closing_complete before our own shutdown", SIMPLE, { fee: "500sat" }, (state) => ({
    ...state,
    flags: { ...state.flags, shutdownSent: false },
  })),
  byBobsState("policy-closing-early", "a closing_signed with a revocation owed", LEGACY, { fee: "500sat" }, (state) => {
    const [funding] = state.fundings;
    const { current } = funding.remote;
    return { ...state, fundings: [{ ...funding, remote: { current, next: { ...current!, number: 1 } } }] };
  }),
  byBobsState("policy-closing-kind", "a closing_complete where closing_signed is agreed to", SIMPLE, { fee: "500sat" }, (state) => ({
    ...state,
    features: [],
  })),
  byBobsState("policy-closing-kind", "a closing_signed where closing_complete is agreed to", LEGACY, { fee: "500sat" }, (state) => ({
    ...state,
    features: ["option_shutdown_anysegwit", "option_simple_close"],
  })),
  rule("policy-closing-first", "the accepter offers first", async (broken) => {
    const p = broken ? await shut(LEGACY) : await answering({ fee: "1000sat" });
    return { p, act: () => says(p, "bob", { fee: "700sat" }) };
  }),
  rule("policy-closing-first", "the accepter's offer comes first", async (broken) => {
    const before = await shut(LEGACY);
    const early = backupOf(before.alice);
    const offer = await says(before, "alice", { fee: "1000sat" });
    await hears(before, "bob", offer);
    const answer = await says(before, "bob", { fee: "700sat" });
    const p = broken ? { ...before, alice: early } : before;
    return { p, act: () => hears(p, "alice", answer) };
  }),
  rule("policy-closing-unanswered", "another closing_complete before the closing_sig", async (broken) => {
    const p = await offered(SIMPLE, { fee: "500sat" });
    return { p, act: () => says(p, "alice", { fee: broken ? "600sat" : "500sat" }) };
  }),
  rule("policy-closing-unanswered", "another closing_signed before the answer", async (broken) => {
    const p = await offered(LEGACY, RANGED);
    return { p, act: () => says(p, "alice", { ...RANGED, ...(broken ? { fee: "600sat" } : {}) }) };
  }),
  ...[SIMPLE, LEGACY].map((terms) =>
    rule("policy-closing-unanswered", `receive another ${terms === SIMPLE ? "closing_complete" : "closing_signed"}`, async (broken) => {
      const p = await shut(terms);
      const twin = backupOf(p.alice);
      await hears(p, "bob", await says(p, "alice", { fee: "500sat" }));
      if (!broken) await says(p, "bob", { fee: "400sat" });
      const other = await says({ ...p, alice: twin }, "alice", { fee: "450sat" });
      return { p, act: () => hears(p, "bob", edited(other, { seq: Number(other["seq"]) + 1 })) };
    }),
  ),
  ...[SIMPLE, LEGACY].map((terms) =>
    whenClosing(
      "policy-closing-fee-unaffordable",
      terms === SIMPLE ? "closing_complete" : "closing_signed",
      () => shut(terms),
      "alice",
      { fee: "5000000sat" },
      { fee: "6000001sat" },
    ),
  ),
  whenOffered("policy-closing-fee-unaffordable", "more than the closer has", () => ({ fee_satoshis: 6_000_001 })),
  byBobsState("policy-closing-fee-unaffordable", "a closing_signed with more than the opener has", LEGACY, { fee: "5000sat" }, (state) => {
    const [funding] = state.fundings;
    const { current } = funding.local;
    const spec = { ...current!.spec, balances: { ...current!.spec.balances, remote: 4_999_999n as FundedChannel["pushMsat"] } };
    return { ...state, fundings: [{ ...funding, local: { ...funding.local, current: { ...current!, spec } } }] };
  }),
  whenClosing("policy-closing-dust", "our own output", () => shut(SIMPLE), "alice", { fee: "5999706sat" }, { fee: "5999707sat" }),
  rule("policy-closing-dust", "a P2PKH output of 500 sat", async (broken) => {
    const p = await shut(LEGACY);
    const [script, sat] = [scriptPubkey(Uint8Array.from(Buffer.from(P2PKH, "hex"))), broken ? 500n : 546n];
    editState(p.alice, (state) => {
      const [funding] = state.fundings;
      const { current } = funding.local;
      const remote = (sat * 1000n) as FundedChannel["pushMsat"];
      const balances = { local: (10_000_000_000n - remote) as FundedChannel["pushMsat"], remote };
      return {
        ...state,
        shutdownScripts: { ...state.shutdownScripts, remote: script },
        fundings: [{ ...funding, local: { ...funding.local, current: { ...current!, spec: { ...current!.spec, balances } } } }],
      };
    });
    return { p, act: () => says(p, "alice", { fee: "500sat" }) };
  }),
  rule("policy-closing-dust", "no output at all", async (broken) => {
    const p = await shut(LEGACY);
    editState(p.alice, (state) => {
      const limit = (broken ? 20_000_000n : 354n) as FundedChannel["fundingSatoshis"];
      return { ...state, params: { ...state.params, local: { ...state.params.local, dustLimitSatoshis: limit } } };
    });
    return { p, act: () => says(p, "alice", { fee: "500sat" }) };
  }),
  whenClosing("policy-closing-omission", "who has more", () => shut(SIMPLE), "alice", { fee: "500sat" }, { fee: "500sat", omitOutput: true }),
  whenClosing(
    "policy-closing-omission",
    "an OP_RETURN",
    () => shut(SIMPLE),
    "bob",
    { fee: "500sat", omitOutput: true },
    { fee: "500sat", omitOutput: true, script: RETURN },
  ),

  whenClosing(
    "policy-closing-fee-range",
    "our fee outside our own range",
    () => shut(LEGACY),
    "alice",
    { fee: "1000sat", feeRange: "300sat-1000sat" },
    { fee: "1000sat", feeRange: "300sat-999sat" },
  ),
  whenClosing("policy-closing-fee-range", "an answer outside the peer's", () => answering(RANGED), "bob", { fee: "1500sat" }, { fee: "1501sat" }),
  rule("policy-closing-fee-range", "receive an answer outside both ranges", async (broken) => {
    const p = await shut(LEGACY);
    const narrow = backupOf(p.alice);
    const wide = await says(p, "alice", { ...RANGED, feeRange: "500sat-3000sat" });
    await says({ ...p, alice: narrow }, "alice", RANGED);
    await hears(p, "bob", wide);
    const answer = await says(p, "bob", { fee: "2000sat", feeRange: "500sat-3000sat" });
    return { p: broken ? { ...p, alice: narrow } : p, act: () => hears(broken ? { ...p, alice: narrow } : p, "alice", answer) };
  }),
  whenClosing(
    "policy-closing-no-overlap",
    "a range apart from the peer's",
    () => answering(RANGED),
    "bob",
    { fee: "1500sat", feeRange: "1500sat-3000sat" },
    { fee: "1501sat", feeRange: "1501sat-3000sat" },
  ),
  rule("policy-closing-fee-changed", "the opener answers a fee within its range with another", async (broken) => {
    const p = await answering(RANGED);
    await hears(p, "alice", await says(p, "bob", { fee: "1200sat", feeRange: "300sat-1500sat" }));
    return { p, act: () => says(p, "alice", { fee: broken ? "1300sat" : "1200sat" }) };
  }),
  rule("policy-closing-fee-changed", "receive another fee than the one that was left", async (broken) => {
    const p = await shut(LEGACY);
    const twin = backupOf(p.alice);
    await hears(p, "bob", await says(p, "alice", RANGED));
    await hears(p, "alice", await says(p, "bob", { fee: "1200sat", feeRange: "1100sat-1300sat" }));
    const agrees = await says(p, "alice");
    const other = await says({ ...p, alice: twin }, "alice", { ...RANGED, fee: "1400sat" });
    return { p, act: () => hears(p, "bob", broken ? edited(other, { seq: agrees["seq"] }) : agrees) };
  }),
  rule("policy-closing-fee-between", "a fee no nearer than before", async (broken) => {
    const p = await answering({ fee: "1000sat" });
    await hears(p, "alice", await says(p, "bob", { fee: "500sat" }));
    return { p, act: () => says(p, "alice", { fee: broken ? "1000sat" : "999sat" }) };
  }),
  rule("policy-closing-fee-between", "receive a fee no nearer than before", async (broken) => {
    const p = await shut(LEGACY);
    const twin = backupOf(p.alice);
    await hears(p, "bob", await says(p, "alice", { fee: "1000sat" }));
    await hears(p, "alice", await says(p, "bob", { fee: "500sat" }));
    const nearer = await says(p, "alice", { fee: "700sat" });
    const other = await says({ ...p, alice: twin }, "alice", { fee: "1001sat" });
    return { p, act: () => hears(p, "bob", broken ? edited(other, { seq: nearer["seq"] }) : nearer) };
  }),
  byBobsState("policy-closing-closee-script", "a closing_complete that pays us elsewhere", SIMPLE, { fee: "500sat" }, (state) => ({
    ...state,
    shutdownScripts: { ...state.shutdownScripts, local: scriptPubkey(Uint8Array.from(Buffer.from(TAPROOT, "hex"))) },
  })),
  whenOffered("policy-closing-variant", "without the signature for both outputs", () => ({ closer_and_closee_outputs: undefined })),
  whenAnswered("policy-closing-variant", "two signatures", ({ closer_and_closee_outputs: both }) => ({ closer_output_only: both })),
  whenAnswered("policy-closing-variant", "none", () => ({ closer_and_closee_outputs: undefined })),
  whenAnswered("policy-closing-variant", "one that was not offered", ({ closer_and_closee_outputs: both }) => ({
    closer_and_closee_outputs: undefined,
    closee_output_only: both,
  })),
  ...(
    [
      ["fee_satoshis", 501],
      ["locktime", 1],
      ["closer_scriptpubkey", TAPROOT],
      ["closee_scriptpubkey", TAPROOT],
    ] as const
  ).map(([field, value]) => whenAnswered("policy-closing-mismatch", field, () => ({ [field]: value }))),

  // What stands against it from elsewhere
  ...(
    [
      ["sign", {}],
      ["update-fee", {}],
      ["sign", { psbt: true }],
      ["update-fee", { psbt: true }],
    ] as const
  ).map(([command, how]) =>
    rule("policy-closing-signed", `${command} after a mutual close was ${"psbt" in how ? "written for a signer" : "offered"}`, async (broken) => {
      const p = await parties(SIMPLE);
      if (!broken) {
        if (command === "sign") await runCommand("pay", [p.alice, "1000sat"]);
        return { p, act: () => runCommand(command, command === "sign" ? [p.alice] : [p.alice, "3000"]) };
      }
      const closing = await shut(SIMPLE);
      await says(closing, "alice", { fee: "500sat", ...how });
      if (command === "sign") {
        // As if a change had been left
        editState(closing.alice, (state) => ({
          ...state,
          changes: {
            ...state.changes,
            local: [{ content: { kind: "pay", id: 0n, amountMsat: 1000n as FundedChannel["pushMsat"] }, stage: "proposed" }],
          },
        }));
      }
      return { p: closing, act: () => runCommand(command, command === "sign" ? [closing.alice] : [closing.alice, "3000"]) };
    }),
  ),
  rule("policy-force-closed", "close after force-close", async (broken) => {
    const p = await shut(SIMPLE);
    if (broken) await runCommand("force-close", [p.alice]);
    return { p, act: () => says(p, "alice", { fee: "500sat" }) };
  }),
  rule("policy-behind", "close after having lost state", async (broken) => {
    const p = await shut(SIMPLE);
    if (broken) editState(p.alice, (state) => ({ ...state, flags: { ...state.flags, behind: true } }));
    return { p, act: () => says(p, "alice", { fee: "500sat" }) };
  }),
  rule("policy-vector-channel", "close a test case", async (broken) => {
    const p = await parties(SIMPLE);
    if (broken) editState(p.alice, (state) => ({ ...state, purpose: "vector" }));
    return { p, act: () => says(p, "alice", PAID.alice) };
  }),
  rule("policy-shutdown", "pay after our own shutdown, by the command", async (broken) => {
    const p = await parties(SIMPLE);
    if (broken) await exchange(p, "alice", PAID.alice);
    return { p, act: () => runCommand("pay", [p.alice, "1000sat"]) };
  }),
];
