import { LnError } from "../../errors.js";

/** The rules that a script can be held to, under the names that Bitcoin Core gives them. Each is the bit of its place. */
const NAMES = [
  "P2SH",
  "STRICTENC",
  "DERSIG",
  "LOW_S",
  "NULLDUMMY",
  "SIGPUSHONLY",
  "MINIMALDATA",
  "DISCOURAGE_UPGRADABLE_NOPS",
  "CLEANSTACK",
  "CHECKLOCKTIMEVERIFY",
  "CHECKSEQUENCEVERIFY",
  "WITNESS",
  "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
  "MINIMALIF",
  "NULLFAIL",
  "WITNESS_PUBKEYTYPE",
  "CONST_SCRIPTCODE",
  "TAPROOT",
  "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
  "DISCOURAGE_OP_SUCCESS",
  "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
] as const;

export type FlagName = (typeof NAMES)[number];
export const FLAG_NAMES: readonly FlagName[] = NAMES;

declare const brand: unique symbol;
/** A set of rules. */
export type Flags = number & { readonly [brand]: "flags" };

/** The set of one rule, by its name. */
export const FLAG = Object.fromEntries(NAMES.map((name, bit) => [name, 1 << bit])) as Readonly<Record<FlagName, Flags>>;

export function flagSet(...names: readonly FlagName[]): Flags {
  return names.reduce((set, name) => set | FLAG[name], 0) as Flags;
}

export const NO_FLAGS = flagSet();

export function has(flags: Flags, rule: Flags): boolean {
  return (flags & rule) !== 0;
}

/** What every block is held to since taproot. */
export const CONSENSUS_FLAGS = flagSet("P2SH", "DERSIG", "NULLDUMMY", "CHECKLOCKTIMEVERIFY", "CHECKSEQUENCEVERIFY", "WITNESS", "TAPROOT");

/** What a node holds a transaction to before it relays it: consensus, and the rules that keep later upgrades open and nobody's hands on others' transactions. */
export const STANDARD_FLAGS = (CONSENSUS_FLAGS |
  flagSet(
    "STRICTENC",
    "LOW_S",
    "MINIMALDATA",
    "DISCOURAGE_UPGRADABLE_NOPS",
    "CLEANSTACK",
    "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
    "MINIMALIF",
    "NULLFAIL",
    "WITNESS_PUBKEYTYPE",
    "CONST_SCRIPTCODE",
    "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
    "DISCOURAGE_OP_SUCCESS",
    "DISCOURAGE_UPGRADABLE_PUBKEYTYPE",
  )) as Flags;

/** Names joined by commas, as Bitcoin Core's test data writes them; `NONE` or nothing for no rule. Throws: input-script-flag. */
export function parseFlags(list: string): Flags {
  const names = list === "" || list === "NONE" ? [] : list.split(",");
  return flagSet(...names.map(flagName));
}

function flagName(name: string): FlagName {
  const known = NAMES.find((candidate) => candidate === name);
  if (known === undefined) throw new LnError("input-script-flag", `${JSON.stringify(name)} is no script flag`, { flag: name, known: NAMES });
  return known;
}

export function flagNames(flags: Flags): readonly FlagName[] {
  return NAMES.filter((name) => has(flags, FLAG[name]));
}
