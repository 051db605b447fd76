/**
 * The channel that the commitments of BOLT 3's appendices C and F belong to, in the layout of `commitments.ts`: what lnd and eclair leave out of their copies.
 * Figures from lightning/bolts (03-transactions.md, Appendix C), CC-BY-4.0. BOLT 3 §Appendix C: Commitment and HTLC Transaction Test Vectors.
 */
export const APPENDIX_C = {
  funding_txid: "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be",
  funding_output_index: 0,
  funding_amount_sat: 10_000_000,
  commitment_number: 42,
  commitment_owner: "local",
  opener: "local",
  to_self_delay: 144,
  default_dust_limit_sat: 546,
  secrets: {
    local_funding_privkey: "30ff4956bbdd3222d44cc5e8a1261dab1e07957bdac5ae88fe3261ef321f3749",
    remote_funding_privkey: "1552dfba4f6cf29a62a0af13c8d6981d36d0ef8d61ba10fb0fe90da7634d7e13",
    local_payment_basepoint_secret: "11".repeat(32),
    remote_revocation_basepoint_secret: "22".repeat(32),
    local_delayed_payment_basepoint_secret: "33".repeat(32),
    remote_payment_basepoint_secret: "44".repeat(32),
    local_per_commitment_secret: "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100",
  },
  htlcs: [
    { id: 0, offered_by: "remote", amount_msat: 1_000_000, cltv_expiry: 500, payment_preimage: "00".repeat(32) },
    { id: 1, offered_by: "remote", amount_msat: 2_000_000, cltv_expiry: 501, payment_preimage: "01".repeat(32) },
    { id: 2, offered_by: "local", amount_msat: 2_000_000, cltv_expiry: 502, payment_preimage: "02".repeat(32) },
    { id: 3, offered_by: "local", amount_msat: 3_000_000, cltv_expiry: 503, payment_preimage: "03".repeat(32) },
    { id: 4, offered_by: "remote", amount_msat: 4_000_000, cltv_expiry: 504, payment_preimage: "04".repeat(32) },
    { id: 5, offered_by: "local", amount_msat: 5_000_000, cltv_expiry: 506, payment_preimage: "05".repeat(32) },
    { id: 6, offered_by: "local", amount_msat: 5_000_001, cltv_expiry: 505, payment_preimage: "05".repeat(32) },
  ],
};

/** The HTLCs that stand together in one case: none, the first five, or those of "same amount and preimage". */
const SETS = [[], [0, 1, 2, 3, 4], [1, 5, 6]] as const;

interface Amounts {
  readonly htlcs: readonly { readonly id: number; readonly amount_msat: number }[];
  readonly funding_amount_sat: number;
}

/** Which HTLCs a case has: those that make the funding whole with its balances; null where none do. */
export function htlcIdsFor(
  toLocalMsat: number,
  toRemoteMsat: number,
  { htlcs, funding_amount_sat: funding }: Amounts = APPENDIX_C,
): readonly number[] | null {
  const sumOf = (ids: readonly number[]): number => htlcs.reduce((sum, { id, amount_msat: amount }) => sum + (ids.includes(id) ? amount : 0), 0);
  return SETS.find((ids) => sumOf(ids) + toLocalMsat + toRemoteMsat === funding * 1000) ?? null;
}
