import { describe, expect, test } from "vitest";
import { fromHex, type ScriptPubkey, scriptPubkey } from "../../src/protocol/bytes.js";
import type { Change, FeeRange, FundedChannel } from "../../src/protocol/channel/state.js";
import * as rules from "../../src/protocol/policy/closing.js";
import type { ClosingPlan } from "../../src/protocol/tx/closing-tx.js";
import { msat, sat } from "../../src/protocol/units.js";
import { type Act, flagged, keeps, OPEN, refuses, withChanges } from "./facts.js";

const script = (hex: string): ScriptPubkey => scriptPubkey(fromHex(hex));
const FORMS = {
  p2wpkh: script(`0014${"aa".repeat(20)}`),
  p2wsh: script(`0020${"aa".repeat(32)}`),
  later: script(`5120${"aa".repeat(32)}`),
  opReturn: script(`6a06${"aa".repeat(6)}`),
  p2pkh: script(`76a914${"aa".repeat(20)}88ac`),
  p2sh: script(`a914${"aa".repeat(20)}87`),
  none: script("51"),
};
const SIMPLE: FundedChannel = { ...OPEN, features: ["option_shutdown_anysegwit", "option_simple_close"] };
const LEGACY: FundedChannel = { ...OPEN, features: [] };
const change = (stage: Change["stage"]): Change => ({ content: { kind: "pay", id: 0n, amountMsat: msat(1n) }, stage });
const named = (state: FundedChannel, scripts: Partial<FundedChannel["shutdownScripts"]>): FundedChannel => ({
  ...state,
  shutdownScripts: { ...state.shutdownScripts, ...scripts },
});
const upfront = (hex: ScriptPubkey | null): FundedChannel => ({
  ...OPEN,
  params: { ...OPEN.params, remote: { ...OPEN.params.remote, upfrontShutdownScript: hex } },
});
const plan = (more: Partial<ClosingPlan>): ClosingPlan =>
  ({
    kind: "simple",
    payer: "local",
    scripts: { local: FORMS.p2wpkh, remote: FORMS.p2wsh },
    feeSatoshis: sat(500n),
    locktime: 0,
    balances: { local: msat(10_000_999n), remote: msat(20_000_000n) },
    ...more,
  }) as ClosingPlan;
const range = (min: bigint, max: bigint): FeeRange => ({ minFeeSatoshis: sat(min), maxFeeSatoshis: sat(max) });

describe("a shutdown", () => {
  keeps({
    "once the funding is signed": () => rules.shutdownNeedsFunding({ ...OPEN, phase: "funded" }),
    "with all signed for the peer": () => rules.shutdownOnlySigned(withChanges(OPEN, { local: [change("signed")], remote: [change("proposed")] })),
    "of a peer that has signed all": () =>
      rules.shutdownOnlySignedByPeer(withChanges(OPEN, { local: [change("proposed")], remote: [change("signed")] })),
    "the script that was named when opening": () => rules.scriptMustBeUpfront(upfront(FORMS.p2wpkh), "remote", FORMS.p2wpkh),
    "any where none was named when opening": () => rules.scriptMustBeUpfront(upfront(null), "remote", FORMS.p2wpkh),
    "the script of the shutdown before": () => rules.shutdownMustStand(named(OPEN, { remote: FORMS.p2wsh }), "remote", FORMS.p2wsh),
    "the first": () => rules.shutdownMustStand(named(OPEN, { remote: null }), "remote", FORMS.p2wsh),
  });
  refuses({
    before: [
      () => rules.shutdownNeedsFunding({ ...OPEN, phase: "awaiting_funding_signed" }),
      `policy-shutdown-unfunded: the peer's funding_signed has not come: there is nothing to close yet {"phase":"awaiting_funding_signed"}`,
    ],
    "with one change not signed for the peer": [
      () => rules.shutdownOnlySigned(withChanges(OPEN, { local: [change("proposed")] })),
      `policy-shutdown-pending: 1 changes wait for our signature of the peer's commitment: sign first {"pending":1}`,
    ],
    "with the peer's change acked and not signed": [
      () => rules.shutdownOnlySigned(withChanges(OPEN, { remote: [change("acked")] })),
      `policy-shutdown-pending: 1 changes wait for our signature of the peer's commitment: sign first {"pending":1}`,
    ],
    "of a peer that has one to sign": [
      () => rules.shutdownOnlySignedByPeer(withChanges(OPEN, { remote: [change("signed"), change("proposed")] })),
      `policy-shutdown-pending: the peer has not signed 1 of its changes, and sends shutdown {"pending":1}`,
    ],
    "another script than was named when opening": [
      () => rules.scriptMustBeUpfront(upfront(FORMS.p2wpkh), "remote", FORMS.p2wsh),
      `policy-shutdown-upfront: the remote side named another upfront_shutdown_script when opening {"by":"remote","script_pubkey":"0020aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","upfront_shutdown_script":"0014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
    ],
    "another than in the shutdown before": [
      () => rules.shutdownMustStand(named(OPEN, { remote: FORMS.p2wsh }), "remote", FORMS.p2wpkh),
      `policy-shutdown-changed: the remote side's shutdown names another script {"by":"remote","script_pubkey":"0014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","before":"0020aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
    ],
  });
});

describe("what a close pays to", () => {
  const pays =
    (state: FundedChannel, by: "local" | "remote", to: ScriptPubkey): Act =>
    () =>
      rules.scriptMustBeAllowed(state, by, to);
  keeps({
    P2WPKH: pays(LEGACY, "local", FORMS.p2wpkh),
    P2WSH: pays(LEGACY, "local", FORMS.p2wsh),
    "a later witness version, where agreed": pays(SIMPLE, "local", FORMS.later),
    "a later witness version in a legacy close, where agreed": pays({ ...OPEN, features: ["option_shutdown_anysegwit"] }, "local", FORMS.later),
    "OP_RETURN in a simple close": pays(SIMPLE, "local", FORMS.opReturn),
    "the peer's P2PKH in a legacy close": pays(LEGACY, "remote", FORMS.p2pkh),
    "the peer's P2SH in a legacy close": pays(LEGACY, "remote", FORMS.p2sh),
  });
  refuses({
    "a later witness version elsewhere": [
      pays(LEGACY, "local", FORMS.later),
      `policy-shutdown-script: a mutual close of this channel may not pay to 5120aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (later_segwit) {"by":"local","script_pubkey":"5120aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","form":"later_segwit"}`,
    ],
    "OP_RETURN in a legacy close": [
      pays(LEGACY, "remote", FORMS.opReturn),
      `policy-shutdown-script: a mutual close of this channel may not pay to 6a06aaaaaaaaaaaa (op_return) {"by":"remote","script_pubkey":"6a06aaaaaaaaaaaa","form":"op_return"}`,
    ],
    "our own P2PKH": [
      pays(LEGACY, "local", FORMS.p2pkh),
      `policy-shutdown-script: a mutual close of this channel may not pay to 76a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa88ac (p2pkh) {"by":"local","script_pubkey":"76a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa88ac","form":"p2pkh"}`,
    ],
    "our own P2SH": [
      pays(LEGACY, "local", FORMS.p2sh),
      `policy-shutdown-script: a mutual close of this channel may not pay to a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa87 (p2sh) {"by":"local","script_pubkey":"a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa87","form":"p2sh"}`,
    ],
    "the peer's P2PKH in a simple close": [
      pays(SIMPLE, "remote", FORMS.p2pkh),
      `policy-shutdown-script: a mutual close of this channel may not pay to 76a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa88ac (p2pkh) {"by":"remote","script_pubkey":"76a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa88ac","form":"p2pkh"}`,
    ],
    "the peer's P2SH in a simple close": [
      pays(SIMPLE, "remote", FORMS.p2sh),
      `policy-shutdown-script: a mutual close of this channel may not pay to a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa87 (p2sh) {"by":"remote","script_pubkey":"a914aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa87","form":"p2sh"}`,
    ],
    "what has none of these forms": [
      pays(SIMPLE, "remote", FORMS.none),
      `policy-shutdown-script: a mutual close of this channel may not pay to 51 {"by":"remote","script_pubkey":"51","form":"none"}`,
    ],
  });
});

describe("when a close is due, and of which kind", () => {
  const shut = flagged({ shutdownSent: true, shutdownReceived: true });
  keeps({
    "with both shutdowns and nothing left": () => rules.closingMustBeDue(shut),
    "simple where agreed": () => rules.closingMustBeAgreedKind(SIMPLE, "simple"),
    "legacy elsewhere": () => rules.closingMustBeAgreedKind(LEGACY, "legacy"),
    "the opener's first offer": () => rules.openerMustOfferFirst(OPEN, "local"),
    "any side's later one": () => rules.openerMustOfferFirst({ ...OPEN, closing: { ...OPEN.closing, lastOffer: "local" } }, "remote"),
    "an offer after an answer": () => rules.offerMustBeAnswered(true, "local"),
  });
  refuses({
    "with the peer's shutdown alone": [
      () => rules.closingMustBeDue(flagged({ shutdownReceived: true })),
      `policy-closing-early: both sides' shutdown come before a close {"shutdown_sent":false,"shutdown_received":true,"clear":true}`,
    ],
    "with our shutdown alone": [
      () => rules.closingMustBeDue(flagged({ shutdownSent: true })),
      `policy-closing-early: both sides' shutdown come before a close {"shutdown_sent":true,"shutdown_received":false,"clear":true}`,
    ],
    "with a change left": [
      () => rules.closingMustBeDue(withChanges(shut, { local: [change("signed")] })),
      `policy-closing-early: HTLCs, changes or revocations are left: the channel can't close yet {"shutdown_sent":true,"shutdown_received":true,"clear":false}`,
    ],
    "legacy where simple is agreed": [
      () => rules.closingMustBeAgreedKind(SIMPLE, "legacy"),
      `policy-closing-kind: this channel closes by simple negotiation {"agreed":"simple","came":"legacy"}`,
    ],
    "simple elsewhere": [
      () => rules.closingMustBeAgreedKind(LEGACY, "simple"),
      `policy-closing-kind: this channel closes by legacy negotiation {"agreed":"legacy","came":"simple"}`,
    ],
    "the other side's first offer": [
      () => rules.openerMustOfferFirst(OPEN, "remote"),
      `policy-closing-first: the opener, who pays the fee, sends the first closing_signed {"by":"remote"}`,
    ],
    "an offer beside one that waits": [
      () => rules.offerMustBeAnswered(false, "remote"),
      `policy-closing-unanswered: the remote side's offer before this one has not been answered {"by":"remote"}`,
    ],
  });
});

describe("what a close says", () => {
  keeps({
    "a fee of all that the payer has": () => rules.payerMustAffordClosing(plan({ feeSatoshis: sat(10_000n) })),
    "outputs at the dust limit": () => rules.closingMustRelay(plan({ balances: { local: msat(794_000n), remote: msat(330_000n) } }), "both"),
    "dust that is left out": () => rules.closingMustRelay(plan({ balances: { local: msat(794_000n), remote: msat(329_000n) } }), "local"),
    "one output": () => rules.closingMustPaySomebody(plan({}), "local"),
    "the lesser's output left out": () => rules.omissionMustBeAllowed(plan({}), "closer"),
    "the closee's output left out, whoever has more": () =>
      rules.omissionMustBeAllowed(plan({ balances: { local: msat(3n), remote: msat(2n) } }), "closee"),
    "the script that we named": () => rules.closeeScriptMustBeOurs(named(OPEN, { local: FORMS.p2wsh }), FORMS.p2wsh),
    "the variant that is due": () => rules.variantMustBe(true, "closer_output_only", []),
    "an answer without difference": () => rules.answerMustMatch(undefined),
  });
  refuses({
    "a fee 1 sat above it": [
      () => rules.payerMustAffordClosing(plan({ feeSatoshis: sat(10_001n) })),
      `policy-closing-fee-unaffordable: a closing fee of 10001 sat exceeds the local side's balance of 10000 sat {"payer":"local","fee_satoshis":"10001","balance_sat":"10000"}`,
    ],
    "our output 1 sat below the dust limit": [
      () => rules.closingMustRelay(plan({ balances: { local: msat(793_999n), remote: msat(330_000n) } }), "both"),
      `policy-closing-dust: the local side's output of 293 sat would be dust, below 294 sat {"side":"local","amount_sat":"293","dust_threshold_sat":"294"}`,
    ],
    "the peer's output 1 sat below the dust limit": [
      () => rules.closingMustRelay(plan({ balances: { local: msat(794_000n), remote: msat(329_000n) } }), "both"),
      `policy-closing-dust: the remote side's output of 329 sat would be dust, below 330 sat {"side":"remote","amount_sat":"329","dust_threshold_sat":"330"}`,
    ],
    "no output": [
      () => rules.closingMustPaySomebody(plan({}), null),
      `policy-closing-dust: neither side's output is above the dust limit {"local_sat":"9500","remote_sat":"20000"}`,
    ],
    "the output of who has more left out": [
      () => rules.omissionMustBeAllowed(plan({ balances: { local: msat(2n), remote: msat(2n) } }), "closer"),
      `policy-closing-omission: only who has less may leave its own output out {"by":"closer"}`,
    ],
    "an OP_RETURN left out": [
      () => rules.omissionMustBeAllowed(plan({ scripts: { local: FORMS.opReturn, remote: FORMS.p2wsh } }), "closee"),
      `policy-closing-omission: an OP_RETURN output is not left out {"by":"closee"}`,
    ],
    "a script that we did not name": [
      () => rules.closeeScriptMustBeOurs(named(OPEN, { local: FORMS.p2wsh }), FORMS.p2wpkh),
      `policy-closing-closee-script: closee_scriptpubkey is not the script that we named last {"closee_scriptpubkey":"0014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","named":"0020aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
    ],
    "any script where we named none": [
      () => rules.closeeScriptMustBeOurs(named(OPEN, { local: null }), FORMS.p2wpkh),
      `policy-closing-closee-script: closee_scriptpubkey is not the script that we named last {"closee_scriptpubkey":"0014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","named":""}`,
    ],
    "another variant": [
      () => rules.variantMustBe(false, "closer_output_only", ["closee_output_only", "closer_and_closee_outputs"]),
      `policy-closing-variant: closee_output_only and closer_and_closee_outputs came where closer_output_only is due {"wanted":"closer_output_only","came":["closee_output_only","closer_and_closee_outputs"]}`,
    ],
    "no variant": [
      () => rules.variantMustBe(false, "closer_output_only", []),
      `policy-closing-variant: no signature came where closer_output_only is due {"wanted":"closer_output_only","came":[]}`,
    ],
    "an answer with a difference": [
      () => rules.answerMustMatch("fee_satoshis"),
      `policy-closing-mismatch: fee_satoshis is not what our closing_complete said {"field":"fee_satoshis"}`,
    ],
  });
});

describe("the fee of a legacy close", () => {
  keeps({
    "the lowest of a range": () => rules.feeMustBeInRange(sat(100n), range(100n, 200n), "local"),
    "the highest of a range": () => rules.feeMustBeInRange(sat(200n), range(100n, 200n), "local"),
    "any without a range": () => rules.feeMustBeInRange(sat(1n), null, "remote"),
    "the fee that is left": () => rules.feeMustStay(sat(100n), sat(100n), "remote"),
    "just above the one": () => rules.feeMustComeNearer(sat(101n), sat(100n), sat(200n), "remote"),
    "just below the other": () => rules.feeMustComeNearer(sat(199n), sat(200n), sat(100n), "remote"),
  });
  refuses({
    "1 sat below a range": [
      () => rules.feeMustBeInRange(sat(99n), range(100n, 200n), "local"),
      `policy-closing-fee-range: a closing fee of 99 sat is not within 100 to 200 sat {"fee_satoshis":"99","whose":"local","min_fee_satoshis":"100","max_fee_satoshis":"200"}`,
    ],
    "1 sat above a range": [
      () => rules.feeMustBeInRange(sat(201n), range(100n, 200n), "both"),
      `policy-closing-fee-range: a closing fee of 201 sat is not within 100 to 200 sat {"fee_satoshis":"201","whose":"both","min_fee_satoshis":"100","max_fee_satoshis":"200"}`,
    ],
    "another than is left": [
      () => rules.feeMustStay(sat(101n), sat(100n), "remote"),
      `policy-closing-fee-changed: the remote side names 101 sat where only 100 sat is left to agree to {"by":"remote","fee_satoshis":"101","settled_satoshis":"100"}`,
    ],
    "one of the two": [
      () => rules.feeMustComeNearer(sat(100n), sat(100n), sat(200n), "remote"),
      `policy-closing-fee-between: the remote side's 100 sat is not strictly between 100 and 200 sat {"by":"remote","fee_satoshis":"100","above":"100","below":"200"}`,
    ],
    "the other of the two": [
      () => rules.feeMustComeNearer(sat(200n), sat(200n), sat(100n), "local"),
      `policy-closing-fee-between: the local side's 200 sat is not strictly between 100 and 200 sat {"by":"local","fee_satoshis":"200","above":"100","below":"200"}`,
    ],
    "ranges that do not meet": [
      () => rules.overlapOf(range(100n, 199n), range(200n, 300n)),
      `policy-closing-no-overlap: our fees of 100 to 199 sat and the peer's of 200 to 300 sat have none in common {"min_fee_satoshis":"100","max_fee_satoshis":"199","peer_min_fee_satoshis":"200","peer_max_fee_satoshis":"300"}`,
    ],
  });

  test("ranges overlap in what both allow", () => {
    expect(rules.overlapOf(null, range(1n, 2n))).toEqual(range(1n, 2n));
    expect(rules.overlapOf(range(100n, 200n), range(150n, 300n))).toEqual(range(150n, 200n));
    expect(rules.overlapOf(range(150n, 300n), range(100n, 200n))).toEqual(range(150n, 200n));
    expect(rules.overlapOf(range(100n, 200n), range(200n, 300n))).toEqual(range(200n, 200n));
  });
});
