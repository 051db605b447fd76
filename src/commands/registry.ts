import type { CommandSpec } from "./shared/command.js";

/** A command by name; its file is loaded only when it runs. */
export interface Entry {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly load: () => Promise<CommandSpec>;
}

export const GROUPS = {
  setUp: "Set up a channel",
  change: "Propose changes, pass messages",
  commit: "Commit and revoke",
  leave: "Leave, and punish",
  chain: "Meet the chain",
  audit: "Look closely",
  self: "About chankit",
} as const;
export type Group = keyof typeof GROUPS;

/** The commands in the order in which an update meets them. */
export const REGISTRY: readonly Entry[] = [
  entry("keygen", "setUp", "make a party's keys", async () => (await import("./keygen.js")).command),
  entry("open-channel", "setUp", "propose a channel: open_channel", async () => (await import("./open-channel.js")).command),
  entry("accept-channel", "setUp", "accept it: accept_channel", async () => (await import("./accept-channel.js")).command),
  entry(
    "create-funding",
    "setUp",
    "name the funding output, sign the peer's first commitment: funding_created",
    async () => (await import("./create-funding.js")).command,
  ),
  entry(
    "sign-funding",
    "setUp",
    "verify that, sign the opener's first commitment: funding_signed",
    async () => (await import("./sign-funding.js")).command,
  ),
  entry("release-funding", "setUp", "verify that: only now may the funding go out", async () => (await import("./release-funding.js")).command),
  entry("channel-ready", "setUp", "the funding is confirmed: channel_ready", async () => (await import("./channel-ready.js")).command),
  entry("import-channel", "setUp", "take over a channel in mid-life, or a test case", async () => (await import("./import-channel.js")).command),
  entry("demo", "setUp", "write two parties and the twenty steps as a script", async () => (await import("./demo.js")).command),
  entry("pay", "change", "propose to shift balance to the peer", async () => (await import("./pay.js")).command),
  entry("add-htlc", "change", "offer an HTLC: update_add_htlc", async () => (await import("./add-htlc.js")).command),
  entry(
    "fulfill-htlc",
    "change",
    "claim a received HTLC with its preimage: update_fulfill_htlc",
    async () => (await import("./fulfill-htlc.js")).command,
  ),
  entry("fail-htlc", "change", "give a received HTLC back: update_fail_htlc", async () => (await import("./fail-htlc.js")).command),
  entry("update-fee", "change", "change the commitments' feerate: update_fee", async () => (await import("./update-fee.js")).command),
  entry("receive", "change", "take in any message, by its type", async () => (await import("./receive.js")).command),
  entry("resend", "change", "print again what the peer has not acknowledged", async () => (await import("./resend.js")).command),
  entry(
    "build-commitment",
    "commit",
    "build a commitment transaction, ours or the peer's",
    async () => (await import("./build-commitment.js")).command,
  ),
  entry("sign", "commit", "sign the peer's next commitment: commitment_signed", async () => (await import("./sign.js")).command),
  entry("verify-sig", "commit", "verify and store the peer's signature of ours", async () => (await import("./verify-sig.js")).command),
  entry(
    "make-revocation",
    "commit",
    "give away the secret of our replaced commitment: revoke_and_ack",
    async () => (await import("./make-revocation.js")).command,
  ),
  entry("receive-revocation", "commit", "verify and store the peer's secret", async () => (await import("./receive-revocation.js")).command),
  entry(
    "reestablish",
    "commit",
    "after a disconnect: channel_reestablish, and what to send again",
    async () => (await import("./reestablish.js")).command,
  ),
  entry("status", "commit", "balances, commitments, changes and what is due", async () => (await import("./status.js")).command),
  entry("close", "leave", "close together: shutdown, then the fee and the signatures", async () => (await import("./close.js")).command),
  entry("force-close", "leave", "sign our newest commitment for broadcast", async () => (await import("./force-close.js")).command),
  entry("htlc-tx", "leave", "finish an HTLC transaction of our published commitment", async () => (await import("./htlc-tx.js")).command),
  entry("sweep", "leave", "take what is ours of a confirmed commitment", async () => (await import("./sweep.js")).command),
  entry(
    "bump",
    "leave",
    "pay more fee for our way out: a child of a commitment, or fee inputs for HTLC transactions",
    async () => (await import("./bump.js")).command,
  ),
  entry("penalty-tx", "leave", "take everything of a revoked commitment", async () => (await import("./penalty-tx.js")).command),
  entry(
    "export-watchtower",
    "leave",
    "what a watchtower needs to punish a commitment, at the moment it is revoked",
    async () => (await import("./export-watchtower.js")).command,
  ),
  entry("backup", "leave", "write a copy of the channel that is safe to restore, however old", async () => (await import("./backup.js")).command),
  entry("restore", "leave", "make a party from a backup: it counts as having lost state", async () => (await import("./restore.js")).command),
  entry(
    "watch",
    "chain",
    "recognise published commitments of any number of channels, and answer them",
    async () => (await import("./watch.js")).command,
  ),
  entry(
    "check-tx",
    "chain",
    "verify transactions without a node: scripts, timelocks, fee, standardness",
    async () => (await import("./check-tx.js")).command,
  ),
  entry("broadcast", "chain", "hand transactions to a Bitcoin Core node", async () => (await import("./broadcast.js")).command),
  entry(
    "inspect",
    "audit",
    "read a transaction: whose, which number, who can spend what and when; or every byte of anything",
    async () => (await import("./inspect.js")).command,
  ),
  entry("diff", "audit", "what differs between two states, views or transactions, and why", async () => (await import("./diff.js")).command),
  entry("diagnose", "audit", "why a commitment signature does not verify", async () => (await import("./diagnose.js")).command),
  entry("audit", "audit", "replay a run's files from public data, find the first divergence", async () => (await import("./audit.js")).command),
  entry(
    "explore",
    "audit",
    "stop an update at every step, let either side do its worst, see who loses",
    async () => (await import("./explore.js")).command,
  ),
  entry(
    "report",
    "audit",
    "one page of a channel or a run: pictures of its commitments, its messages, the numbers",
    async () => (await import("./report.js")).command,
  ),
  entry(
    "vectors",
    "audit",
    "make test vectors from a seed, or check some, every value derived again",
    async () => (await import("./vectors.js")).command,
  ),
  entry("schema", "self", "JSON Schemas of the files", async () => (await import("./schema.js")).command),
  entry("completion", "self", "completion for bash, zsh or fish", async () => (await import("./completion.js")).command),
  entry("selftest", "self", "check the curve backends and the libraries, say which is used", async () => (await import("./selftest.js")).command),
  entry("help", "self", "help on a command or a topic", async () => (await import("./help.js")).command),
];

function entry(name: string, group: Group, summary: string, load: () => Promise<unknown>): Entry {
  return { name, group, summary, load: load as Entry["load"] };
}
