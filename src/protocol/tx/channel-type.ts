/** The kinds of channel, by the names that users give. What each is, the table in format.ts says. */
export const CHANNEL_TYPES = ["legacy", "static_remotekey", "anchor_outputs", "anchors"] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];
