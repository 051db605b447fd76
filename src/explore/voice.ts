import type { FundedChannel } from "../protocol/channel/state.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import type { Dual } from "../protocol/side.js";
import type { Knowledge } from "./knowledge.js";

/** Who speaks for the adversary: with its own secrets, and all that it has seen. */
export interface Speaker {
  readonly keys: PartyKeys;
  readonly knowledge: Knowledge;
  readonly preimages: readonly Uint8Array[];
  /** Where each side is paid: `local` is the honest side, as in its state. */
  readonly wallets: Dual<Uint8Array>;
}

/** The same where there is a funding output: it knows the channel as the honest side sees it. */
export interface Voice extends Speaker {
  readonly state: FundedChannel;
}
