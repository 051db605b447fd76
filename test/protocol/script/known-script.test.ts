import { describe, expect, test } from "vitest";
import { wasm } from "../../../src/ecc/wasm.js";
import { bytes32, concat, fromHex, signature } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { ANCHOR_SCRIPT, anchorWitness } from "../../../src/protocol/script/anchor.js";
import { EMPTY, ONE, type Witness, hash160, p2wpkh, p2wsh, witnessSignature } from "../../../src/protocol/script/assemble.js";
import { FUNDING_SCRIPT } from "../../../src/protocol/script/funding.js";
import {
  OFFERED_HTLC_ANCHORS_SCRIPT,
  OFFERED_HTLC_SCRIPT,
  RECEIVED_HTLC_ANCHORS_SCRIPT,
  RECEIVED_HTLC_SCRIPT,
} from "../../../src/protocol/script/htlc.js";
import {
  type KnownScript,
  type SpendPath,
  delayedPaths,
  isPointShaped,
  knownElements,
  knownLock,
  knownScript,
  pathTaken,
  scriptTypeOf,
  spendPaths,
} from "../../../src/protocol/script/known-script.js";
import { isReturn, shutdownForm } from "../../../src/protocol/script/shutdown.js";
import { TO_LOCAL_SCRIPT } from "../../../src/protocol/script/to-local.js";
import { TO_REMOTE_ANCHORS_SCRIPT } from "../../../src/protocol/script/to-remote.js";
import { secretOf } from "../channels.js";

const key = (name: string) => publicKey(secretOf(name));
const [A, B, C] = [key("a"), key("b"), key("c")];
const H = new Uint8Array(20).fill(7);
const SIG = witnessSignature(signature(wasm.sign(bytes32(new Uint8Array(32).fill(1)), secretOf("a").reveal())), 1);
const PREIMAGE = new Uint8Array(32).fill(9);

const HTLC = { revocationpubkey_hash160: H, remote_htlcpubkey: A, local_htlcpubkey: B, payment_hash_ripemd160: H };
const RECEIVED = { ...HTLC, cltv_expiry: 500 };
const TO_LOCAL = { revocationpubkey: A, to_self_delay: 144, local_delayedpubkey: B };

const SCRIPTS = {
  funding: FUNDING_SCRIPT.build({ pubkey1: A, pubkey2: B }),
  to_local: TO_LOCAL_SCRIPT.build(TO_LOCAL),
  to_remote: TO_REMOTE_ANCHORS_SCRIPT.build({ remotepubkey: A }),
  anchor: ANCHOR_SCRIPT.build({ funding_pubkey: A }),
  offered: OFFERED_HTLC_SCRIPT.build(HTLC),
  offeredAnchors: OFFERED_HTLC_ANCHORS_SCRIPT.build(HTLC),
  received: RECEIVED_HTLC_SCRIPT.build(RECEIVED),
  receivedAnchors: RECEIVED_HTLC_ANCHORS_SCRIPT.build(RECEIVED),
};

const KNOWN: Readonly<Record<keyof typeof SCRIPTS, KnownScript>> = {
  funding: { kind: "funding", values: { pubkey1: A, pubkey2: B } },
  to_local: { kind: "to_local", values: TO_LOCAL },
  to_remote: { kind: "to_remote", values: { remotepubkey: A } },
  anchor: { kind: "anchor", values: { funding_pubkey: A } },
  offered: { kind: "offered_htlc", values: HTLC, csvBlocks: 0 },
  offeredAnchors: { kind: "offered_htlc", values: HTLC, csvBlocks: 1 },
  received: { kind: "received_htlc", values: RECEIVED, csvBlocks: 0 },
  receivedAnchors: { kind: "received_htlc", values: RECEIVED, csvBlocks: 1 },
};
const P2WPKH: KnownScript = { kind: "p2wpkh", values: { pubkey_hash160: hash160(C) } };
const NAMES = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

test.each(NAMES)("%s is known by its bytes, by its lock, and by the names of its holes", (name) => {
  const script = SCRIPTS[name];
  expect(knownScript(script)).toEqual(KNOWN[name]);
  expect(knownLock(p2wsh(script))).toEqual(KNOWN[name]);
  expect(scriptTypeOf(script)).toBe("bare");
  const named = (knownElements(script) ?? []).flatMap((element) => (element.name === undefined ? [] : [element.name]));
  for (const hole of Object.keys(KNOWN[name].values)) expect(named).toContain(hole);
});

test("another script is not, and a lock to a key is one", () => {
  for (const script of [EMPTY, fromHex("6a00"), SCRIPTS.to_local.subarray(1)]) {
    expect(knownScript(script)).toBeNull();
    expect(knownElements(script)).toBeNull();
  }
  expect(knownLock(p2wpkh(C))).toEqual(P2WPKH);
});

/** A path as one line. */
const told = ({ name, by, csv, cltv, key: of, witness }: SpendPath): string =>
  `${name} by ${by}, csv ${String(csv)}, cltv ${String(cltv)}, ${of === null ? "no key" : `${of.name} ${Buffer.from(of.value).toString("hex")}`}: ` +
  witness
    .map((one) => `${one.name}=${one.form}${one.form === "signature" ? ` of ${one.key === null ? "?" : Buffer.from(one.key).toString("hex")}` : ""}`)
    .join(" ");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const [a, b, h] = [hex(A), hex(B), hex(H)];
const REVOCATION = `revocation by countersigner, csv 0, cltv null, revocationpubkey_hash160 ${h}: revocation_sig=signature of ? revocationpubkey=pubkey`;

test.each<[string, KnownScript, string[]]>([
  [
    "funding",
    KNOWN.funding,
    [`both_keys by both, csv 0, cltv null, no key: dummy=dummy signature_for_pubkey1=signature of ${a} signature_for_pubkey2=signature of ${b}`],
  ],
  [
    "to_local",
    KNOWN.to_local,
    [
      `delayed by owner, csv 144, cltv null, local_delayedpubkey ${b}: local_delayedsig=signature of ${b} empty=empty`,
      `revocation by countersigner, csv 0, cltv null, revocationpubkey ${a}: revocation_sig=signature of ${a} 01=one`,
    ],
  ],
  ["to_remote", KNOWN.to_remote, [`plain by countersigner, csv 1, cltv null, remotepubkey ${a}: remote_sig=signature of ${a}`]],
  [
    "anchor",
    KNOWN.anchor,
    [
      `anchor_key by key_holder, csv 0, cltv null, funding_pubkey ${a}: sig=signature of ${a}`,
      "anyone by anyone, csv 16, cltv null, no key: empty=empty",
    ],
  ],
  ...([0, 1] as const).map((csv): [string, KnownScript, string[]] => [
    `an offered HTLC, csv ${csv}`,
    { kind: "offered_htlc", values: HTLC, csvBlocks: csv },
    [
      `htlc_timeout by owner, csv ${csv}, cltv unseen, local_htlcpubkey ${b}: dummy=dummy remotehtlcsig=signature of ${a} localhtlcsig=signature of ${b} empty=empty`,
      `preimage by countersigner, csv ${csv}, cltv null, remote_htlcpubkey ${a}: remotehtlcsig=signature of ${a} payment_preimage=preimage`,
      REVOCATION,
    ],
  ]),
  ...([0, 1] as const).map((csv): [string, KnownScript, string[]] => [
    `a received HTLC, csv ${csv}`,
    { kind: "received_htlc", values: RECEIVED, csvBlocks: csv },
    [
      `htlc_success by owner, csv ${csv}, cltv null, local_htlcpubkey ${b}: dummy=dummy remotehtlcsig=signature of ${a} localhtlcsig=signature of ${b} payment_preimage=preimage`,
      `expiry by countersigner, csv ${csv}, cltv 500, remote_htlcpubkey ${a}: remotehtlcsig=signature of ${a} empty=empty`,
      REVOCATION,
    ],
  ]),
  ["p2wpkh", P2WPKH, [`plain by key_holder, csv 0, cltv null, pubkey_hash160 ${hex(hash160(C))}: sig=signature of ? pubkey=pubkey`]],
])("who can spend %s, when and with what", (_, script, paths) => {
  expect(spendPaths(script).map(told)).toEqual(paths);
});

test("of an output whose script is not seen, the paths are told without its values", () => {
  expect(delayedPaths(null).map(told)).toEqual([
    "delayed by owner, csv null, cltv null, no key: local_delayedsig=signature of ? empty=empty",
    "revocation by countersigner, csv 0, cltv null, no key: revocation_sig=signature of ? 01=one",
  ]);
});

describe("which path a witness takes", () => {
  test.each<[string, KnownScript, Witness, string | null]>([
    ["both keys", KNOWN.funding, [EMPTY, SIG, SIG], "both_keys"],
    ["one signature less", KNOWN.funding, [EMPTY, SIG], null],
    ["one element more", KNOWN.funding, [EMPTY, SIG, SIG, EMPTY], null],
    ["a dummy that is not empty", KNOWN.funding, [ONE, SIG, SIG], null],
    ["no signature in its place", KNOWN.funding, [EMPTY, SIG, EMPTY], null],
    ["after the delay", KNOWN.to_local, [SIG, EMPTY], "delayed"],
    ["by revocation", KNOWN.to_local, [SIG, ONE], "revocation"],
    ["by 2, which is no 1", KNOWN.to_local, [SIG, Uint8Array.of(2)], null],
    ["by a 1 of two bytes", KNOWN.to_local, [SIG, Uint8Array.of(1, 0)], null],
    ["by the anchor's key", KNOWN.anchor, anchorWitness(SCRIPTS.anchor, signature(wasm.sign(PREIMAGE, PREIMAGE)), 1).slice(0, -1), "anchor_key"],
    ["by anyone", KNOWN.anchor, [EMPTY], "anyone"],
    ["by a preimage", KNOWN.offered, [SIG, PREIMAGE], "preimage"],
    ["by a preimage of 31 bytes", KNOWN.offered, [SIG, PREIMAGE.subarray(1)], null],
    ["by a key", KNOWN.offered, [SIG, A], "revocation"],
    ["by a key of another prefix", KNOWN.offered, [SIG, Uint8Array.of(4, ...A.subarray(1))], null],
    ["by HTLC-timeout", KNOWN.offered, [EMPTY, SIG, SIG, EMPTY], "htlc_timeout"],
    ["by HTLC-success", KNOWN.received, [EMPTY, SIG, SIG, PREIMAGE], "htlc_success"],
    ["by expiry", KNOWN.received, [SIG, EMPTY], "expiry"],
    ["by key and signature", P2WPKH, [SIG, A], "plain"],
    ["the other way round", P2WPKH, [A, SIG], null],
  ])("%s", (_, script, witness, path) => {
    expect(pathTaken(script, witness)?.name ?? null).toBe(path);
  });

  test("an anchor's own witness ends with its script", () => {
    const made = signature(wasm.sign(PREIMAGE, PREIMAGE));
    expect(anchorWitness(SCRIPTS.anchor, made, 1)).toEqual([witnessSignature(made, 1), SCRIPTS.anchor]);
  });

  test("a key by its form: 33 bytes that begin with 2 or 3", () => {
    const shaped = (prefix: number, size: number) => isPointShaped(Uint8Array.of(prefix, ...new Uint8Array(size - 1)));
    expect([shaped(2, 33), shaped(3, 33)]).toEqual([true, true]);
    expect([shaped(1, 33), shaped(4, 33), shaped(2, 32), shaped(3, 34)]).toEqual([false, false, false, false]);
  });
});

/** `00 × 3`: three bytes. */
const bytes = (text: string): Uint8Array =>
  concat(
    ...text.split(" ").map((part) => {
      const [head = "", count] = part.split("×");
      return count === undefined ? fromHex(head) : new Uint8Array(Number(count)).fill(Number.parseInt(head, 16));
    }),
  );

describe("how an output pays", () => {
  test.each<[string, ReturnType<typeof scriptTypeOf>, ReturnType<typeof shutdownForm>]>([
    ["0020 11×32", "p2wsh", "p2wsh"],
    ["0020 11×31", "other", null],
    ["0020 11×33", "other", null],
    ["0120 11×32", "other", null],
    ["0021 11×32", "other", null],
    ["0014 11×20", "p2wpkh", "p2wpkh"],
    ["0014 11×19", "other", null],
    ["0114 11×20", "other", null],
    ["0015 11×20", "other", null],
    ["5120 11×32", "p2tr", "later_segwit"],
    ["5120 11×31", "other", null],
    ["5220 11×32", "other", "later_segwit"],
    ["5121 11×32", "other", null],
    ["511f 11×31", "other", "later_segwit"],
    ["51024e73", "p2a", "later_segwit"],
    ["51024e74", "other", "later_segwit"],
    ["76a914 11×20 88ac", "p2pkh", "p2pkh"],
    ["76a914 11×20 88ad", "other", null],
    ["76a914 11×20 89ac", "other", null],
    ["76a915 11×20 88ac", "other", null],
    ["76a814 11×20 88ac", "other", null],
    ["75a914 11×20 88ac", "other", null],
    ["76a914 11×21 88ac", "other", null],
    ["76a914 11×20 88ac 00", "other", null],
    ["a914 11×20 87", "p2sh", "p2sh"],
    ["a914 11×20 87 00", "other", null],
    ["a914 11×20 88", "other", null],
    ["a915 11×20 87", "other", null],
    ["a814 11×20 87", "other", null],
    ["a914 11×21 87", "other", null],
    ["5102 11×2", "other", "later_segwit"],
    ["5101 11", "other", null],
    ["6028 11×40", "other", "later_segwit"],
    ["6029 11×41", "other", null],
    ["6128 11×40", "other", null],
    ["5028 11×40", "other", null],
    ["6028 11×39", "other", null],
    ["6028 11×41", "other", null],
    ["6a", "op_return", null],
    ["6a06 11×6", "op_return", "op_return"],
    ["6a05 11×5", "op_return", null],
    ["6a4b 11×75", "op_return", "op_return"],
    ["6a4b 11×74", "op_return", null],
    ["6a4b 11×76", "op_return", null],
    ["6a4d 11×77", "op_return", null],
    ["6a4c4c 11×76", "op_return", "op_return"],
    ["6a4c4b 11×75", "op_return", null],
    ["6a4c50 11×80", "op_return", "op_return"],
    ["6a4c51 11×81", "op_return", null],
    ["6a4c50 11×79", "op_return", null],
    ["6a4c50 11×81", "op_return", null],
    ["6906 11×6", "other", null],
  ])("%s is %s, to close %s", (text, type, form) => {
    const script = bytes(text);
    expect([scriptTypeOf(script), shutdownForm(script), isReturn(script)]).toEqual([type, form, type === "op_return"]);
  });

  test("no script at all is none of them", () => {
    expect([scriptTypeOf(EMPTY), shutdownForm(EMPTY), isReturn(EMPTY)]).toEqual(["other", null, false]);
  });
});
