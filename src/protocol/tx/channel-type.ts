/** The kinds of channel, by the names that users give. What each is, the table in format.ts says. */
export const CHANNEL_TYPES = ["legacy", "static_remotekey", "anchor_outputs", "anchors", "zero_fee_commitments"] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** Kinds whose transactions are built and checked although no channel of theirs is opened. The second is a proposal. */
export const TAPROOT_TYPES = ["simple_taproot", "taproot_zero_fee_commitments"] as const;
export type TaprootType = (typeof TAPROOT_TYPES)[number];
