import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import type { Who } from "../chain/pair.js";
import type { PartyPlan, Plan } from "./channel.js";
import type { Draw } from "./random.js";

const TYPES: readonly ChannelType[] = ["legacy", "static_remotekey", "anchor_outputs", "anchors"];

/** A channel as a seed draws it: every format and either opener in turn, limits that are reached and limits that are not. */
export function planFrom(seed: number, draw: Draw): Plan & { readonly buffered: boolean } {
  const type = TYPES[seed % TYPES.length]!;
  const opener: Who = Math.floor(seed / TYPES.length) % 2 === 0 ? "alice" : "bob";
  // Where the opener keeps no buffer, crossing proposals can leave it unable to pay the fee
  const buffered = !draw.chance(0.25);
  const fundingSat = buffered ? 2_000_000n : 120_000n;
  const partyPlan = (): PartyPlan => ({
    dustLimitSat: draw.oneOf([354n, 546n, 1000n]),
    maxInFlightMsat: draw.oneOf([fundingSat * 1000n, fundingSat * (buffered ? 100n : 800n)]),
    reserveSat: buffered ? draw.oneOf([1000n, fundingSat / 100n, fundingSat / 20n]) : 1000n,
    htlcMinimumMsat: draw.oneOf([1n, 1000n]),
    toSelfDelay: draw.oneOf([5, 144]),
    maxAcceptedHtlcs: draw.oneOf(buffered ? [3, 6, 12] : [6, 12]),
    maxDustExposureMsat: draw.oneOf([3_000_000n, 50_000_000n]),
  });
  const feerate = buffered ? draw.oneOf([253n, 1000n, 2500n]) : draw.oneOf([5000n, 10_000n]);
  return {
    type,
    opener,
    buffered,
    fundingSat,
    pushSat: buffered ? draw.oneOf([0n, 500_000n, 1_000_000n]) : draw.oneOf([40_000n, 70_000n]),
    feerate,
    minFeerate: 253n,
    maxFeerate: 25_000n,
    parties: { alice: partyPlan(), bob: partyPlan() },
  };
}
