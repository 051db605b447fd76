/** Who, seen from a state file: its holder (`local`) or the peer (`remote`). Never says whose transaction it is: that is an `owner`, also a Side. */
export type Side = "local" | "remote";

export const SIDES = ["local", "remote"] as const satisfies readonly Side[];

/** One value for each side. */
export type Dual<T> = Readonly<Record<Side, T>>;

export function opposite(side: Side): Side {
  return side === "local" ? "remote" : "local";
}

export function dual<T>(make: (side: Side) => T): Dual<T> {
  return { local: make("local"), remote: make("remote") };
}

/** `pair` with one side's value replaced. */
export function withSide<T>(pair: Dual<T>, side: Side, value: T): Dual<T> {
  return side === "local" ? { local: value, remote: pair.remote } : { local: pair.local, remote: value };
}

/** `pair` as the other party's file sees it. */
export function swapSides<T>(pair: Dual<T>): Dual<T> {
  return { local: pair.remote, remote: pair.local };
}
