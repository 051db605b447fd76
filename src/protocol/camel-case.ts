/** `funding_txid` → `fundingTxid`: JSON keeps the BOLTs' spelling, TypeScript its own. */
export type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Key;

/** The same object with camelCase keys, read-only; an optional key stays optional. */
export type CamelKeys<T> = { readonly [Key in keyof T as Key extends string ? CamelCase<Key> : never]: T[Key] };

export function camelCase<Key extends string>(key: Key): CamelCase<Key> {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<Key>;
}
