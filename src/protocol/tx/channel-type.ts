/** The kinds of channel, by the names that users give. What each is, the table in format.ts says. */
export const CHANNEL_TYPES = ["legacy", "static_remotekey", "anchor_outputs", "anchors"] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** Those, and the kinds whose transactions are built and checked although no channel of theirs is opened. */
export const COMMITMENT_TYPES = [...CHANNEL_TYPES, "zero_fee_commitments"] as const;
export type CommitmentType = (typeof COMMITMENT_TYPES)[number];
