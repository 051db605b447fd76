import { sha256 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { type Ledger, entitlement, havingSent, havingTaken, knowing, ledgerFrom } from "../../src/explore/ledger.js";
import type { Message } from "../../src/protocol/wire/messages.js";

const PREIMAGE = new Uint8Array(32).fill(7);
const pay = (amountMsat: bigint) => ({ type: "pay", id: 0n, amountMsat }) as unknown as Message;
const add = (amountMsat: bigint) => ({ type: "update_add_htlc", id: 0n, amountMsat, paymentHash: sha256(PREIMAGE) }) as unknown as Message;
const fulfil = (paymentPreimage: Uint8Array) => ({ type: "update_fulfill_htlc", id: 0n, paymentPreimage }) as unknown as Message;
const SIGNED = { type: "commitment_signed" } as Message;
const REVOKED = { type: "revoke_and_ack" } as Message;

const through = (start: Ledger, ...events: readonly (readonly ["sent" | "taken", Message])[]): Ledger =>
  events.reduce((ledger, [way, message]) => (way === "sent" ? havingSent : havingTaken)(ledger, message), start);

test("a payer is owed its new balance from the proposal on", () => {
  expect(entitlement(through(ledgerFrom(100n), ["sent", pay(30n)]))).toBe(70n);
});

test("a payee is owed its old balance until it holds the payer's revocation, then the new one", () => {
  const before = through(ledgerFrom(10n), ["taken", pay(30n)], ["taken", SIGNED], ["sent", REVOKED], ["sent", SIGNED]);
  expect(entitlement(before)).toBe(10n);
  expect(entitlement(through(before, ["taken", REVOKED]))).toBe(40n);
});

test("a revocation that answers an earlier signature makes nothing final", () => {
  const crossed = through(ledgerFrom(10n), ["sent", SIGNED], ["taken", pay(30n)], ["taken", SIGNED], ["taken", REVOKED]);
  expect(entitlement(crossed)).toBe(10n);
});

test("what was proposed and never signed is forgotten by a reconnection", () => {
  const again = through(
    ledgerFrom(10n),
    ["taken", pay(30n)],
    ["sent", { type: "channel_reestablish" } as Message],
    ["taken", SIGNED],
    ["sent", REVOKED],
    ["sent", SIGNED],
    ["taken", REVOKED],
  );
  expect(entitlement(again)).toBe(10n);
});

test("an offered HTLC is ours until we learn its preimage, a wrong one is none", () => {
  const offered = through(ledgerFrom(100n), ["sent", add(30n)]);
  expect(entitlement(offered)).toBe(100n);
  expect(entitlement(through(offered, ["taken", fulfil(new Uint8Array(32))]))).toBe(100n);
  expect(entitlement(through(offered, ["taken", fulfil(PREIMAGE)]))).toBe(70n);
  expect(entitlement(knowing(offered, [PREIMAGE], []))).toBe(70n);
});

test("a received HTLC is ours from the moment on at which we show its preimage", () => {
  const received = through(ledgerFrom(10n), ["taken", add(30n)]);
  expect(entitlement(received)).toBe(10n);
  expect(entitlement(through(received, ["sent", fulfil(PREIMAGE)]))).toBe(40n);
});
