import { MAX_COMMITMENT_NUMBER } from "../../protocol/keys/shachain.js";
import type { Side } from "../../protocol/side.js";
import type { HtlcDirection } from "../../protocol/tx/fees.js";
import { FORMATS } from "../../protocol/tx/format.js";
import type { ChannelType } from "../../protocol/tx/channel-type.js";
import { type Draft, type DraftHtlc, addHtlcs, anyHtlc, costsOf, feerateOf, thresholdOf } from "./draft.js";
import type { NumberStream } from "./number-stream.js";

/** Works an edge into a draft. */
export type Recipe = (draft: Draft, stream: NumberStream) => void;

/** An HTLC that is worth so much above what is trimmed, in satoshis, with any millisatoshis beside. */
function htlcFromThreshold(direction: HtlcDirection, above: bigint): Recipe {
  return (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(0, 4));
    const amountMsat = (thresholdOf(draft, direction) + above) * 1000n + stream.between(0n, 999n);
    put(draft, stream, { ...anyHtlc(draft, stream, direction), amountMsat });
  };
}

function put(draft: Draft, stream: NumberStream, htlc: DraftHtlc): void {
  draft.htlcs.splice(stream.integer(0, draft.htlcs.length), 0, htlc);
}

/** One side's main output so far from the dust limit, in satoshis; the other's is an ordinary one. */
function mainFromDustLimit(side: Side, away: bigint): Recipe {
  return (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(0, 3));
    draft.main[side] = draft.dustLimit + away;
  };
}

/** A side that has nothing or next to nothing. */
function belowDust(draft: Draft, stream: NumberStream, side: Side): void {
  draft.main[side] = stream.pick([0n, 1n, stream.between(0n, draft.dustLimit - 1n)]);
}

function atFeerate(feerate: (stream: NumberStream) => bigint): Recipe {
  return (draft, stream) => {
    draft.feerate = feerateOf(draft.channelType, feerate(stream));
    addHtlcs(draft, stream, stream.integer(0, 5));
  };
}

function atNumber(number: (stream: NumberStream) => number): Recipe {
  return (draft, stream) => {
    draft.number = number(stream);
    addHtlcs(draft, stream, stream.integer(0, 3));
  };
}

/** An HTLC with an output, to be repeated with one thing otherwise. */
function untrimmed(draft: Draft, stream: NumberStream, direction?: HtlcDirection): DraftHtlc {
  const htlc = anyHtlc(draft, stream, direction);
  return { ...htlc, amountMsat: htlc.amountMsat + thresholdOf(draft, htlc.direction) * 1000n };
}

/** Exactly so much that no other output holds, in whole satoshis: by trimming, by rounding where it is one. */
function leftToSharedAnchor(left: (stream: NumberStream) => bigint): Recipe {
  return (draft, stream) => {
    const satoshis = left(stream);
    draft.dustLimit = 1000n;
    // The other side's balance has as much to a whole satoshi
    draft.remainder = satoshis === 1n ? stream.pick([1n, 500n, 999n]) : 0n;
    if (satoshis > 1n) draft.htlcs.push({ ...anyHtlc(draft, stream), amountMsat: satoshis * 1000n });
    const kept = untrimmed(draft, stream);
    put(draft, stream, { ...kept, amountMsat: kept.amountMsat - (kept.amountMsat % 1000n) });
  };
}

/** Named edges, which stand in a case's tags. Their order is part of what a seed stands for. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  "no-htlcs": () => undefined,
  "random-htlcs": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(1, 12));
  },
  "dust-offered-at": htlcFromThreshold("offered", 0n),
  "dust-offered-below": htlcFromThreshold("offered", -1n),
  "dust-received-at": htlcFromThreshold("received", 0n),
  "dust-received-below": htlcFromThreshold("received", -1n),
  "msat-remainders": (draft, stream) => {
    draft.remainder = stream.pick([1n, 500n, 999n]);
    for (const remainder of [0n, 1n, 499n, 500n, 999n]) {
      const htlc = anyHtlc(draft, stream);
      draft.htlcs.push({ ...htlc, amountMsat: htlc.amountMsat - (htlc.amountMsat % 1000n) + remainder });
    }
  },
  "equal-amounts-different-expiries": (draft, stream) => {
    // An offered HTLC's script holds no expiry: such are told apart by it alone
    const htlc = untrimmed(draft, stream, stream.pick(["offered", "offered", "received"]));
    for (const expiry of [7, 3, 5, 3]) draft.htlcs.push({ ...htlc, cltvExpiry: 500_000 + expiry, amountMsat: htlc.amountMsat });
    addHtlcs(draft, stream, stream.integer(0, 2));
  },
  "identical-htlcs": (draft, stream) => {
    const htlc = untrimmed(draft, stream);
    for (let at = stream.integer(2, 4); at > 0; at--) put(draft, stream, { ...htlc });
    addHtlcs(draft, stream, stream.integer(0, 2));
  },
  "equal-satoshis-different-msat": (draft, stream) => {
    const htlc = untrimmed(draft, stream);
    const satoshis = htlc.amountMsat - (htlc.amountMsat % 1000n);
    for (const remainder of [999n, 0n, 1n]) draft.htlcs.push({ ...htlc, amountMsat: satoshis + remainder });
  },
  "equal-amounts-different-hashes": (draft, stream) => {
    const htlc = untrimmed(draft, stream);
    for (let at = 0; at < 3; at++) draft.htlcs.push({ ...htlc, preimage: stream.bytes(32) });
  },
  "offered-and-received-alike": (draft, stream) => {
    const htlc = untrimmed(draft, stream);
    const most = [thresholdOf(draft, "offered"), thresholdOf(draft, "received")].reduce((a, b) => (a > b ? a : b));
    for (const direction of ["offered", "received"] as const) draft.htlcs.push({ ...htlc, direction, amountMsat: htlc.amountMsat + most * 1000n });
  },
  "opener-cannot-pay": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(1, 4));
    draft.openerShort = stream.pick([0n, costsOf(draft) - 1n, stream.between(0n, costsOf(draft) - 1n)]);
  },
  "opener-can-just-pay": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(0, 4));
    draft.main[draft.opener] = 0n;
  },
  "no-to-local": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(0, 4));
    belowDust(draft, stream, "local");
  },
  "no-to-remote": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(0, 4));
    belowDust(draft, stream, "remote");
  },
  "no-main-outputs": (draft, stream) => {
    put(draft, stream, untrimmed(draft, stream));
    addHtlcs(draft, stream, stream.integer(0, 3));
    belowDust(draft, stream, "local");
    belowDust(draft, stream, "remote");
  },
  "all-htlcs-trimmed": (draft, stream) => {
    for (const direction of ["offered", "received"] as const)
      draft.htlcs.push({ ...anyHtlc(draft, stream, direction), amountMsat: stream.between(1n, thresholdOf(draft, direction) * 1000n - 1n) });
  },
  "to-local-at-dust-limit": mainFromDustLimit("local", 0n),
  "to-local-below-dust-limit": mainFromDustLimit("local", -1n),
  "to-remote-at-dust-limit": mainFromDustLimit("remote", 0n),
  "to-remote-below-dust-limit": mainFromDustLimit("remote", -1n),
  "feerate-0": atFeerate(() => 0n),
  "feerate-253": atFeerate(() => 253n),
  "feerate-high": atFeerate((stream) => stream.pick([50_000n, 100_000n, stream.between(20_000n, 200_000n)])),
  "feerate-any": atFeerate((stream) => stream.between(253n, 20_000n)),
  "number-0": atNumber(() => 0),
  "number-1": atNumber(() => 1),
  "number-at-2^24": atNumber((stream) => 2 ** 24 + stream.pick([-2, -1, 0, 1])),
  "number-highest": atNumber((stream) => MAX_COMMITMENT_NUMBER - stream.pick([0, 1, 2])),
  "number-of-one-bit": atNumber((stream) => 2 ** stream.integer(0, 47)),
  "many-htlcs": (draft, stream) => {
    addHtlcs(draft, stream, stream.integer(13, 40));
  },
};

/** The edges of a commitment that pays no fee, by the recipes in whose place they stand: those about what the opener pays. */
const WITHOUT_FEE: Readonly<Record<string, readonly [name: string, recipe: Recipe]>> = {
  "opener-cannot-pay": ["shared-anchor-0", leftToSharedAnchor(() => 0n)],
  "opener-can-just-pay": ["shared-anchor-1", leftToSharedAnchor(() => 1n)],
  "feerate-253": ["shared-anchor-239", leftToSharedAnchor(() => 239n)],
  "feerate-high": ["shared-anchor-240", leftToSharedAnchor(() => 240n)],
  "feerate-any": ["shared-anchor-and-fee", leftToSharedAnchor((stream) => stream.pick([241n, stream.between(242n, 999n)]))],
};

/** The recipe of a name, for a channel type: another one, with a name of its own, where that has no such edge. */
export function recipeFor(name: string, type: ChannelType): { readonly name: string; readonly recipe: Recipe | undefined } {
  const [other, recipe] = (FORMATS[type].hasFeerate ? undefined : WITHOUT_FEE[name]) ?? [name, RECIPES[name]];
  return { name: other, recipe };
}

/**
 * As many HTLCs as one side can have: once in many cases, for it takes as long as a hundred others.
 * BOLT 2 §The `open_channel` Message.
 */
export function fullRecipe(type: ChannelType): { readonly name: string; readonly recipe: Recipe } {
  const most = FORMATS[type].maxAcceptedHtlcs;
  const recipe: Recipe = (draft, stream) => {
    draft.feerate = feerateOf(type, stream.pick([253n, 1000n]));
    for (let at = 0; at < most; at++) draft.htlcs.push(untrimmed(draft, stream));
  };
  return { name: `${most}-htlcs`, recipe };
}
