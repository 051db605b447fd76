import { LnError } from "../protocol/errors.js";
import { type Labelled, annotations, commitmentCases, labelledLines } from "./labelled-text.js";
import { isLnd, readLnd } from "./lnd.js";
import { type Placed, placing } from "./placed.js";

/** BOLT 3 as it is written: a part of its text under a heading, and where it begins. */
interface Section {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly from: number;
}

/** The documents that BOLT 3's appendices hold, each in the layout of its reader. */
export interface Specification {
  readonly funding?: Placed;
  readonly commitments?: Placed;
  readonly per_commitment_secrets?: Placed;
  readonly key_derivation?: Placed;
  readonly anchors?: Placed;
}

export function isSpecification(text: string): boolean {
  return /^# Appendix [A-G]: /m.test(text);
}

/** 03-transactions.md, as lightning/bolts has it. Appendix A holds no values that are derived here, G is read as JSON (`dual-funding.ts`). Throws: input-vectors-layout, json-…. */
export function readSpecification(text: string, source: string): Specification {
  const sections = appendices(text);
  const read = <T>(letter: string, reader: (section: Section, source: string) => T): T | undefined => {
    const section = sections.get(letter);
    return section === undefined ? undefined : reader(section, `${source}: Appendix ${letter}`);
  };
  const found = {
    funding: read("B", fundingSection),
    commitments: read("C", commitmentSection),
    per_commitment_secrets: read("D", secretSection),
    key_derivation: read("E", keySection),
    anchors: read("F", anchorSection),
  };
  return Object.fromEntries(Object.entries(found).filter(([, placed]) => placed !== undefined));
}

/** By their letters. */
function appendices(text: string): ReadonlyMap<string, Section> {
  const lines = text.split("\n");
  // Comments within them begin like headings
  const starts = lines.flatMap((line, at) => {
    const [, letter] = /^# Appendix ([A-Z]): /.exec(line) ?? [];
    return letter === undefined && line !== "# References" ? [] : [{ letter, at }];
  });
  return new Map(
    starts.flatMap(({ letter, at }, index) => {
      const end = starts[index + 1]?.at ?? lines.length;
      return letter === undefined ? [] : [[letter, { text: lines.slice(at, end).join("\n"), from: at + 1 }] as const];
    }),
  );
}

/** Values by their labels, each once. Throws: input-vectors-layout for one that is not there. */
class Values {
  readonly #lines: readonly Labelled[];
  readonly #source: string;

  constructor(lines: readonly Labelled[], source: string) {
    this.#lines = lines;
    this.#source = source;
  }

  maybe(label: string): Labelled | undefined {
    return this.#lines.find((candidate) => candidate.label === label);
  }

  line(label: string): Labelled {
    const found = this.maybe(label);
    if (found !== undefined) return found;
    throw new LnError("input-vectors-layout", `${this.#source}: there is no line "${label}"`, { source: this.#source, label });
  }

  text(label: string): string {
    return this.line(label).value;
  }

  number(label: string): number {
    return Number(this.text(label));
  }

  /** Secret: 32 bytes, behind which the specification prints 01. */
  secret(label: string): string {
    return this.text(label).replace(/^([0-9a-f]{64})01$/, "$1");
  }
}

function fundingSection({ text, from }: Section, source: string): Placed {
  const values = new Values(labelledLines(text, from), source);
  const { note, places } = placing();
  const at = (key: string, label: string): string => {
    note(["cases", 0, ...key.split(".")], `line ${values.line(label).line} (${label})`);
    return values.text(label);
  };
  const one = {
    name: "funding transaction",
    opener: "local",
    block0: values.text("Block 0 (genesis)"),
    block1: values.text("Block 1"),
    block1_coinbase_tx: at("block1_coinbase_tx", "Block 1 coinbase transaction"),
    input_privkey: values.secret("Block 1 coinbase privkey"),
    input_privkey_wif: at("input_privkey_wif", "privkey in base58"),
    // The specification's own word for it
    input_address: at("input_address", "pubkey in base68"),
    input_txid: at("input_txid", "input txid"),
    input_index: values.number("input index"),
    input_sat: Number(at("input_sat", "input satoshis")),
    funding_sat: values.number("funding satoshis"),
    feerate_per_kw: values.number("feerate_per_kw"),
    change_sat: Number(at("change_sat", "change satoshis")),
    funding_output_index: values.number("funding output"),
    local_funding_pubkey: values.text("local_funding_pubkey"),
    remote_funding_pubkey: values.text("remote_funding_pubkey"),
    funding_witness_script: at("funding_witness_script", "funding witness script"),
    expected: { tx: at("expected.tx", "funding tx"), txid: at("expected.txid", "txid") },
  };
  return { document: { cases: [one] }, places };
}

const PUBKEYS = [
  "local_payment_basepoint",
  "remote_payment_basepoint",
  "local_htlc_basepoint",
  "remote_htlc_basepoint",
  "local_funding_pubkey",
  "remote_funding_pubkey",
  "local_htlcpubkey",
  "remote_htlcpubkey",
  "local_delayedpubkey",
  "local_revocation_pubkey",
  "remote_revocation_basepoint",
  "local_delayed_payment_basepoint",
  "local_per_commitment_point",
] as const;

const SECRETS = {
  local_funding_privkey: "local_funding_privkey",
  local_privkey: "local_privkey",
  remote_funding_privkey: "remote_funding_privkey",
  local_payment_basepoint_secret: "local_payment_basepoint_secret",
  remote_revocation_basepoint_secret: "remote_revocation_basepoint_secret",
  local_delayed_payment_basepoint_secret: "local_delayed_payment_basepoint_secret",
  remote_payment_basepoint_secret: "remote_payment_basepoint_secret",
  local_per_commitment_secret: "x_local_per_commitment_secret",
  remote_privkey: "remote_privkey",
  local_delayed_privkey: "local_delayed_privkey",
} as const;

function commitmentSection({ text, from }: Section, source: string): Placed {
  const lines = labelledLines(text, from);
  const values = new Values(lines, source);
  const { note, places } = placing();
  const where = (label: string): string => `line ${values.line(label).line} (${label})`;
  for (const key of PUBKEYS) note(["common", "pubkeys", key], where(key));
  for (const [key, label] of Object.entries(SECRETS)) note(["common", "secrets", key], where(label));
  note(["common", "funding_witness_script"], where("funding wscript"));
  note(["common", "obscuring_factor"], where("obscured commitment number"));
  const ids = [...new Set(lines.flatMap(({ label }) => /^htlc (\d+) direction$/.exec(label)?.[1] ?? []))];
  const common = {
    funding_txid: values.text("funding_tx_id"),
    funding_output_index: values.number("funding_output_index"),
    funding_amount_sat: values.number("funding_amount_satoshi"),
    funding_witness_script: values.text("funding wscript"),
    commitment_number: values.number("commitment_number"),
    obscuring_factor: values.text("obscured commitment number").replace(/ \^.*$/, ""),
    commitment_owner: "local",
    opener: "local",
    to_self_delay: values.number("local_delay"),
    default_dust_limit_sat: values.number("local_dust_limit_satoshi"),
    pubkeys: Object.fromEntries(PUBKEYS.map((key) => [key, values.text(key)])),
    secrets: Object.fromEntries(Object.entries(SECRETS).map(([key, label]) => [key, values.secret(label)])),
    htlcs: ids.map((id) => ({
      id: Number(id),
      offered_by: values.text(`htlc ${id} direction`).startsWith("local") ? "local" : "remote",
      amount_msat: values.number(`htlc ${id} amount_msat`),
      cltv_expiry: values.number(`htlc ${id} expiry`),
      payment_preimage: values.text(`htlc ${id} payment_preimage`),
    })),
  };
  const cases = commitmentCases(lines, note, source);
  annotations(
    text,
    from,
    cases,
    note,
    lines.filter(({ label }) => label === "name").map(({ line }) => line),
  );
  return { document: { channel_type_bits: [12], common, cases }, places };
}

/** The parts of a section that begin with a name. */
function named(lines: readonly Labelled[]): readonly { readonly name: Labelled; readonly lines: readonly Labelled[] }[] {
  const starts = lines.flatMap(({ label }, at) => (label === "name" ? [at] : []));
  return starts.flatMap((start, index) => {
    const name = lines[start];
    return name === undefined ? [] : [{ name, lines: lines.slice(start + 1, starts[index + 1] ?? lines.length) }];
  });
}

const withoutPrefix = (hex: string): string => hex.replace(/^0x/, "").toLowerCase();

function secretSection({ text, from }: Section, source: string): Placed {
  const { note, places } = placing();
  const generation: object[] = [];
  const storage: object[] = [];
  for (const { name, lines } of named(labelledLines(text, from))) {
    const values = new Values(lines, source);
    if (values.maybe("seed") !== undefined) {
      note(["generation", generation.length, "secret"], `line ${values.line("output").line} (output)`);
      generation.push({
        name: name.value,
        seed: withoutPrefix(values.text("seed")),
        index_printed: values.text("I"),
        secret: withoutPrefix(values.text("output")),
      });
      continue;
    }
    const steps = lines.flatMap(({ label, value }, at) => {
      if (label !== "I") return [];
      const [secret, output] = lines.slice(at + 1, at + 3);
      return [{ index: Number(value), secret: withoutPrefix(secret?.value ?? ""), result: output?.value, line: output?.line }];
    });
    for (const [at, { line }] of steps.entries()) note(["storage", storage.length, "steps", at, "result"], `line ${line ?? name.line} (output)`);
    storage.push({ name: name.value, steps: steps.map(({ index, secret, result }) => ({ index, secret, result })) });
  }
  return { document: { generation, storage }, places };
}

/** What the layout of `key-derivation.ts` calls the four cases, in their order, with the key of each result and what leads to it. */
const KEY_CASES = [
  { name: "pubkey from basepoint and per_commitment_point", result: ["localpubkey", "expected_pubkey"], hashes: ["sha256_pcp_basepoint"], terms: [] },
  {
    name: "privkey from basepoint secret and per_commitment_point",
    result: ["localprivkey", "expected_privkey"],
    hashes: ["sha256_pcp_basepoint"],
    terms: [],
  },
  {
    name: "revocation pubkey from basepoint and per_commitment_point",
    result: ["revocationpubkey", "expected_pubkey"],
    hashes: ["sha256_revbase_pcp", "sha256_pcp_revbase"],
    terms: ["term1_point", "term2_point"],
  },
  {
    name: "revocation privkey from basepoint secret and per_commitment secret",
    result: ["revocationprivkey", "expected_privkey"],
    hashes: ["sha256_revbase_pcp", "sha256_pcp_revbase"],
    terms: ["term1_scalar", "term2_scalar"],
  },
] as const;

function keySection({ text, from }: Section, source: string): Placed {
  const lines = labelledLines(text, from);
  const values = new Values(lines, source);
  const { note, places } = placing();
  for (const key of ["base_point", "per_commitment_point"]) note(["inputs", key], `line ${values.line(key).line} (${key})`);
  const inputs = Object.fromEntries(
    ["base_secret", "per_commitment_secret", "base_point", "per_commitment_point"].map((key) => [key, withoutPrefix(values.text(key))]),
  );
  const whole = text.split("\n");
  const parts = named(lines);
  const cases = KEY_CASES.map(({ name, result: [label, key], hashes, terms }, at) => {
    const part = parts[at];
    if (part === undefined) throw new LnError("input-vectors-layout", `${source}: there is no case ${name}`, { source, case: name });
    const end = new Values(part.lines, source).line(label);
    note(["cases", at, key], `line ${end.line} (${label})`);
    const found: Record<string, string> = { name, [key]: withoutPrefix(end.value) };
    const between = whole.slice(part.name.line - from, end.line - from).map((line, offset) => ({ line: part.name.line + offset, text: line }));
    const take = (keys: readonly string[], pattern: RegExp): void => {
      const matches = between.flatMap(({ line, text: content }) => {
        const [, hex] = pattern.exec(content) ?? [];
        return hex === undefined ? [] : [{ line, hex }];
      });
      for (const [index, one] of keys.entries()) {
        const match = matches[index];
        if (match === undefined) continue;
        found[one] = match.hex;
        note(["cases", at, one], `line ${match.line} (${one})`);
      }
    };
    take(hashes, /^\s*# = 0x([0-9a-f]{64})\s*$/);
    take(terms, /^\s*# [x*] .*= 0x([0-9a-f]{64,66})\s*$/);
    return found;
  });
  return { document: { inputs, cases }, places };
}

/** A list in JSON, fenced. */
function anchorSection({ text, from }: Section, source: string): Placed | undefined {
  const [, before, json] = /^([^]*?```[a-z]*\n)([^]*?)\n```/m.exec(text) ?? [];
  if (json === undefined || before === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new LnError("input-vectors-layout", `${source}: its list is no JSON`, { source });
  }
  if (!isLnd(value)) throw new LnError("input-vectors-layout", `${source}: its list holds no commitments`, { source });
  const { document, places } = readLnd(value, source);
  const first = from + before.split("\n").length - 1;
  return {
    document: { ...(document as object), channel_type_bits: [12, 22] },
    places: new Map([...places].map(([path, place]) => [path, `Appendix F, the list from line ${first} on: ${place}`])),
  };
}
