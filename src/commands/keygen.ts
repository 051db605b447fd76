import { sha256 } from "@noble/hashes/sha2.js";
import { printKeysDocument } from "../json/keys-file.js";
import { concat, fromHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { Secret32, type SecretRole } from "../protocol/secret.js";
import { defineCommand } from "./shared/command.js";
import { partyName, publicKeys } from "./shared/identity.js";
import { flag, text } from "./shared/options.js";
import { locateParty, partyArgument, partyFlags, readInput } from "./shared/party.js";

const flags = {
  channel: partyFlags.channel,
  keys: partyFlags.keys,
  seed: flag("--seed <file>", "derive the keys from 32 bytes in hex, read from a file or - (for test vectors)", text),
};

export const command = defineCommand({
  name: "keygen",
  summary: "make a party's keys",
  description: "Makes PARTY/keys.json (mode 0600, never overwritten): the only file with the party's secrets. Shows the public keys.",
  args: [partyArgument],
  flags,
  examples: ["chankit keygen alice", "chankit keygen alice --seed seed.hex"],
  curve: true,
  exits: [5],
  run: (ctx, args, options) => {
    const { paths } = locateParty(args, options);
    const seed = options.seed === undefined ? ctx.entropy(32) : readSeed(readInput(ctx, options.seed), options.seed);
    const keys = keysFrom(seed);
    const publics = publicKeys(keys);
    ctx.store.createKeys(paths, printKeysDocument(keys));
    return { document: { party: partyName(paths), keys: paths.keys, ...publics } };
  },
});

/** Secret in: 32 bytes of hex. Throws: input-seed; the text is never repeated. */
function readSeed(hex: string, source: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(hex.trim())) throw new LnError("input-seed", `${source}: a seed is 32 bytes in hex, alone in its file`, { source });
  return fromHex(hex.trim());
}

/** Secret: every secret is SHA256(seed || its name), so that one seed gives one party on every machine. */
function keysFrom(seed: Uint8Array): PartyKeys {
  const derive = <Role extends SecretRole>(role: Role): Secret32<Role> =>
    new Secret32<Role>(sha256(concat(seed, new TextEncoder().encode(`chankit ${role}`))));
  return {
    fundingPrivkey: derive("funding"),
    revocationBasepointSecret: derive("revocation_basepoint"),
    paymentBasepointSecret: derive("payment_basepoint"),
    delayedPaymentBasepointSecret: derive("delayed_payment_basepoint"),
    htlcBasepointSecret: derive("htlc_basepoint"),
    perCommitmentSeed: derive("per_commitment_seed"),
    perCommitmentSecrets: [],
  };
}
