import type { FundedChannel } from "../../src/protocol/channel/state.js";
import type { PolicyCode } from "../../src/protocol/policy/rule.js";
import { type Parties, editState } from "../support/party.js";

/** Something that a rule allows or, with one thing changed, does not. */
export interface Attempt {
  readonly p: Parties;
  readonly act: () => Promise<unknown>;
}

export interface Rule {
  readonly code: PolicyCode;
  readonly where: string;
  readonly attempt: (broken: boolean) => Promise<Attempt>;
}

export function rule(code: PolicyCode, where: string, attempt: Rule["attempt"]): Rule {
  return { code, where, attempt };
}

/** A change of the state in which the rule is broken, made through the store. */
export function byState(
  code: PolicyCode,
  where: string,
  start: () => Promise<Parties>,
  party: "alice" | "bob",
  edit: (state: FundedChannel) => FundedChannel,
  act: (p: Parties) => Promise<unknown>,
): Rule {
  return rule(code, where, async (broken) => {
    const p = await start();
    if (broken) editState(p[party], edit);
    return { p, act: () => act(p) };
  });
}

export const flagged = (flags: Partial<FundedChannel["flags"]>) => (state: FundedChannel) => ({ ...state, flags: { ...state.flags, ...flags } });
