import { dirname } from "node:path";
import { displayTxid, toHex, txid } from "../../protocol/bytes.js";
import type { SpentOutput } from "../../protocol/script/interpreter/verify.js";
import { commitmentTerms } from "../../protocol/channel/terms.js";
import type { Difference, Finding } from "../../audit/finding.js";
import { differences } from "../../audit/finding.js";
import type { Stand } from "../../audit/replay.js";
import type { StandIns, Unfound } from "../../audit/stand-ins.js";
import type { JsonObject } from "../../store/state.js";
import { partyPaths, singlePaths } from "../../store/paths.js";
import { Press, transactionOf } from "./press.js";
import { type DocumentKind, type Printed, isObject } from "./printed.js";
import {
  type FundedStand,
  type Transactions,
  closes,
  first,
  forceCloses,
  hexesIn,
  htlcTxs,
  isFundedStand,
  penalties,
  sweeps,
  transactionsIn,
} from "./spends.js";
import { commitmentDocuments, fundingDocument, keysDocument, stepDocument } from "./steps.js";

/** What became of a run's documents. */
export interface DocumentsChecked {
  readonly findings: readonly Finding[];
  /** How many of each kind are what the command prints. */
  readonly counts: Readonly<Record<string, number>>;
  /** Inputs of their transactions whose scripts were run. */
  readonly inputs: number;
  /** What can't be judged, each with its reason. */
  readonly untold: readonly { readonly file: string; readonly why: string }[];
}

/** What a document is compared with: what its command would have printed. */
interface Candidate {
  readonly document: unknown;
  readonly unfound?: readonly Unfound[];
}

/** A run as its documents are compared with it. */
export interface Run {
  readonly stands: readonly Stand[];
  readonly standIns: StandIns;
  /** Every file's path below the folder, keys apart. */
  readonly files: readonly string[];
  readonly channels: readonly string[];
  /** Parties whose journal shows every moment that they came through. */
  readonly journaled: ReadonlySet<string>;
  /** Whether every message of the run was replayed, from the opening on. */
  readonly whole: boolean;
}

/** Kinds that show one moment, and not what was signed in it. */
const MOMENTARY: readonly Printed["kind"][] = ["step", "status", "brief", "commitment"];

/** Compares each document with what its command prints at some moment of the run. */
export class Documents {
  private readonly run: Run;
  private readonly press: Press;
  private readonly funded: readonly FundedStand[];
  private readonly heardBefore = new Map<Stand, ReadonlySet<string>>();
  private readonly commitments = new Map<Stand, readonly JsonObject[]>();
  private readonly all: readonly Printed[];
  private known: Transactions | undefined;

  constructor(run: Run, all: readonly Printed[]) {
    this.run = run;
    this.all = all;
    this.press = new Press(run.standIns);
    this.funded = run.stands.filter(isFundedStand);
    const heard = new Map<string, ReadonlySet<string>>();
    for (const stand of run.stands) {
      const types = new Set(heard.get(stand.party));
      if (stand.heard !== null) types.add(stand.heard.type);
      heard.set(stand.party, types);
      this.heardBefore.set(stand, types);
    }
  }

  async check(each: () => Promise<void>): Promise<DocumentsChecked> {
    const findings: Finding[] = [];
    const counts: Record<string, number> = {};
    const untold: DocumentsChecked["untold"][number][] = [];
    let inputs = 0;
    for (const printed of this.all) {
      await each();
      const { kind, file } = printed;
      const closest = await this.closest(printed);
      if (closest.differences.length > 0) {
        const why = this.whyOpen(printed);
        if (why === null) findings.push(documentFinding(printed, closest));
        else untold.push({ file, why });
        continue;
      }
      const scripts = kind === "path" ? { inputs: 0, finding: null } : await this.runScripts(file, printed.document);
      inputs += scripts.inputs;
      if (scripts.finding === null) counts[kind] = (counts[kind] ?? 0) + 1;
      else findings.push(scripts.finding);
    }
    return { findings, counts, inputs, untold };
  }

  private async closest(printed: Printed): Promise<Closest> {
    let best: Closest = NONE;
    for await (const { document, unfound = [] } of this.candidates(printed)) {
      // As it stands in a file: what is undefined is not there
      const expected: unknown = JSON.parse(JSON.stringify(document));
      const found = [...differences(expected, printed.document)];
      if (found.length === 0) return { differences: [], unfound };
      if (best === NONE || found.length < best.differences.length) best = { differences: found, unfound };
    }
    return best;
  }

  /** Why a document that is like none of the moments may be good all the same; null where it may not. */
  private whyOpen({ kind, document }: Printed): string | null {
    if (!this.run.whole) return "it is like no moment of what was replayed, which is not the whole run";
    const parties =
      isObject(document) && typeof document["party"] === "string" ? [document["party"]] : [...new Set(this.run.stands.map(({ party }) => party))];
    if (
      MOMENTARY.includes(kind) &&
      parties.some((party) => !this.run.journaled.has(party) && this.run.stands.some((stand) => stand.party === party))
    ) {
      return "it is like no moment that was replayed, and without a journal the order of telling and hearing is open";
    }
    if (isObject(document) && document["dry_run"] === true && "would_send" in document)
      return "a step that was only tried, and like none that was taken";
    return null;
  }

  private async *candidates(printed: Printed): AsyncGenerator<Candidate> {
    const { kind } = printed;
    if (kind === "path") {
      yield { document: this.fileNamed(printed.document) };
      return;
    }
    const { document } = printed;
    switch (kind) {
      case "step":
      case "status":
      case "brief":
      case "funding":
      case "keys":
        for (const stand of first(this.run.stands, ({ party }) => party === document["party"])) yield* await this.ofMoment(stand, kind, document);
        return;
      case "commitment":
        yield* this.commitmentsLike(document);
        return;
      case "force_close":
        yield* forceCloses(this.press, this.funded, document);
        return;
      case "htlc_tx":
        yield* htlcTxs(this.press, this.funded, document);
        return;
      case "penalty":
        yield* penalties(this.press, this.funded, document, this.transactions());
        return;
      case "sweep":
        yield* sweeps(this.press, this.funded, document, this.transactions());
        return;
      case "close":
        yield* closes(this.press, this.funded, document);
    }
  }

  private async ofMoment(
    stand: Stand,
    kind: Extract<DocumentKind, "step" | "status" | "brief" | "funding" | "keys">,
    document: JsonObject,
  ): Promise<readonly Candidate[]> {
    switch (kind) {
      case "step":
        return [{ document: stepDocument(stand, document, this.heardBefore.get(stand) ?? new Set()) }];
      case "status": {
        const printed = await this.press.print(stand, { command: "status", flags: {}, signatures: [] });
        // The party's own count of its states, which no message shows
        return printed === null ? [] : [{ document: { ...printed.document, revision: document["revision"] } }];
      }
      case "brief": {
        const printed = await this.press.print(stand, { command: "status", flags: { brief: true }, signatures: [] });
        return printed === null ? [] : [printed];
      }
      case "funding": {
        const funding = fundingDocument(stand, document);
        return funding === null ? [] : [{ document: funding }];
      }
      case "keys":
        return [{ document: keysDocument(stand, document, (party, named) => this.keysOf(party, named)) }];
    }
  }

  private *commitmentsLike(document: JsonObject): Generator<Candidate> {
    const explain = "explain" in document;
    const all = function* (this: Documents): Generator<JsonObject> {
      for (const stand of this.funded) {
        // With every value beside it a document is made when it is asked for
        const made = (explain ? undefined : this.commitments.get(stand)) ?? commitmentDocuments(stand, explain);
        if (!explain) this.commitments.set(stand, made);
        yield* made;
      }
    }.bind(this);
    for (const one of first([...all()], ({ commitment_number: number }) => number === document["commitment_number"])) yield { document: one };
  }

  private transactions(): Transactions {
    return (this.known ??= transactionsIn(
      this.funded,
      this.all.flatMap((printed) => (printed.kind === "path" ? [] : [printed.document])),
    ));
  }

  /** The name of a file of the run as a command has printed it, from wherever it ran; null where there is no such file. */
  private fileNamed(text: string): string | null {
    return this.run.files.some((file) => isNamed(file, text)) ? text : null;
  }

  /** Where a party's keys are, in the words in which they are named if these fit. */
  private keysOf(party: string, named: unknown): unknown {
    const keys = this.run.channels.map(
      (file) => (file.endsWith("/channel.json") || file === "channel.json" ? partyPaths(dirname(file)) : singlePaths(file)).keys,
    );
    const own = keys.filter((path) => path === `${party}/keys.json` || path.endsWith(`/${party}/keys.json`) || path.endsWith(`${party}.keys.json`));
    if (own.length === 0 || (typeof named === "string" && own.some((path) => isNamed(path, named)))) return named;
    return own[0];
  }

  /** Runs the scripts of a document's transactions, as far as it is known what they spend. */
  private async runScripts(file: string, document: JsonObject): Promise<{ readonly inputs: number; readonly finding: Finding | null }> {
    let inputs = 0;
    for (const hex of hexesIn(document)) {
      const tx = transactionOf(hex);
      const spent = tx === null ? null : this.spentBy(tx.ins);
      if (tx === null || spent === null) continue;
      // Only now: most runs hold no transaction
      const [{ verifyTransaction, SCRIPT_ERRORS }, { STANDARD_FLAGS }] = await Promise.all([
        import("../../protocol/script/interpreter/verify.js"),
        import("../../protocol/script/interpreter/flags.js"),
      ]);
      const refused = verifyTransaction(tx, spent, STANDARD_FLAGS).find((verdict) => !verdict.ok);
      if (refused?.ok === false) {
        const fact = `input ${refused.input} of ${tx.getId()} is refused: ${SCRIPT_ERRORS[refused.error]}`;
        return {
          inputs,
          finding: { kind: "document", at: { kind: "file", file, path: "tx" }, fact, expected: null, found: hex, code: refused.error },
        };
      }
      inputs += tx.ins.length;
    }
    return { inputs, finding: null };
  }

  /** Null where one of the outputs is of no transaction of the run. */
  private spentBy(ins: readonly { readonly hash: Uint8Array; readonly index: number }[]): readonly SpentOutput[] | null {
    const outputs = ins.flatMap(({ hash, index }): readonly SpentOutput[] => {
      const id = displayTxid(txid(hash));
      const output = this.transactions().get(id)?.outs[index];
      if (output !== undefined) return [{ script: output.script, amount: output.value }];
      const [stand] = this.funded.filter(({ state: { fundings } }) => displayTxid(fundings[0].txid) === id && fundings[0].outputIndex === index);
      if (stand === undefined) return [];
      const { format, funding, basepoints } = commitmentTerms(stand.state, "local");
      return [{ script: format.funding(basepoints.local.fundingPubkey, basepoints.remote.fundingPubkey).scriptPubkey, amount: funding.amount }];
    });
    return outputs.length === ins.length ? outputs : null;
  }
}

interface Closest {
  readonly differences: readonly Difference[];
  readonly unfound: readonly Unfound[];
}

const NONE: Closest = { differences: [{ path: "", expected: "", found: "" }], unfound: [] };

/** Whether a name that was printed is that of a file: either may have been said from further up. */
function isNamed(file: string, name: string): boolean {
  return file === name || file.endsWith(`/${name}`) || name.endsWith(`/${file}`);
}

function documentFinding({ file, kind, document }: Printed, closest: Closest): Finding {
  if (kind === "path") {
    const fact = "it names a file that is not among those of the run";
    return { kind: "missing", at: { kind: "file", file, path: null }, fact, expected: null, found: document, code: null };
  }
  const [difference] = closest.differences;
  if (difference === undefined || closest === NONE) {
    const fact = "no moment of the run leads to such a document";
    return { kind: "document", at: { kind: "file", file, path: null }, fact, expected: null, found: null, code: null };
  }
  const { path, expected, found } = difference;
  const at = { kind: "file", file, path } as const;
  const [unfound] = closest.unfound;
  if (unfound !== undefined && /(^|[.])tx$/.test(path)) {
    const fact = `none of its signatures is good for what is to be signed with ${toHex(unfound.key)}`;
    return { kind: "signature", at, fact, expected: `a signature of ${toHex(unfound.hash)}`, found, code: null };
  }
  return {
    kind: "document",
    at,
    fact: `${path} is not what the command prints at the moment that the rest of the document is of`,
    expected,
    found,
    code: null,
  };
}
