import { ERROR_CODES } from "../../protocol/errors.js";
import type { Topic } from "../shared/topic-names.js";

/** Texts that `help TOPIC` prints. */
export const TOPICS: Readonly<Record<Topic, () => string>> = {
  workflow: () => WORKFLOW,
  files: () => FILES,
  "exit-codes": () => EXIT_CODES,
  policies,
  errors,
  glossary: () => GLOSSARY,
};

const WORKFLOW = `An update, from proposal to the last secret (Alice pays Bob):

  alice  pay 0.02btc              proposes                              → bob  receive
  alice  build-commitment --owner remote    what she is about to sign
  alice  sign                     signs Bob's next commitment           → bob  verify-sig
  bob    make-revocation          gives up his old one                  → alice  receive-revocation
  bob    sign                     signs Alice's next commitment         → alice  verify-sig
  alice  make-revocation          gives up her old one                  → bob  receive-revocation

The same in five pipes:

  chankit pay alice 0.02btc     | chankit receive bob -
  chankit sign alice            | chankit receive bob -
  chankit make-revocation bob   | chankit receive alice -
  chankit sign bob              | chankit receive alice -
  chankit make-revocation alice | chankit receive bob -

Opening: keygen (both) → open-channel → accept-channel → create-funding → sign-funding → release-funding → channel-ready (both) → receive (both).
Leaving: close together (close), or alone (force-close). Punishing: penalty-tx. Looking: status, inspect. "chankit demo DIR" writes all of it as a script.
`;

const FILES = `PARTY/keys.json        all secrets, mode 0600, never overwritten; read only by commands that sign or reveal
PARTY/channel.json     the channel as this party knows it; no secret of ours
PARTY/revoked.ndjson   a line per revoked commitment of the peer's that had HTLCs
PARTY/highwater.json   what a restored older channel.json would not know: it is refused (file-revision-stale)

A message is a JSON file: BOLT 2's fields under BOLT 2's names, its bytes in "wire", its place in "seq". Either half is enough.
A party is a folder, or --channel FILE and --keys FILE. "-" is standard input or output. -o DIR/ names the file itself.
State is on disk before a signature or a secret is printed. --channel-out FILE leaves the old files alone; --dry-run writes nothing.
A rollback of the whole folder cannot be seen from inside it: it shows when the peer's numbers are compared.
"chankit schema" lists the schemas.
`;

const EXIT_CODES = `0    done, or verdict yes
1    verdict no (verify-sig --dry-run, vectors verify, explore …); with --batch: a line that failed
     explore: a loss, a cell that was not reached, a search that was cut; with --without a rule whose absence has a stated consequence: another one,
     or none (0 is then: exactly what was stated)
2    usage
3    input unreadable or malformed
4    refused by policy or state; a wrong signature or secret too
5    store: missing, stale, damaged
6    output not written
70   internal error
75   busy, try again
130  interrupted
141  the reader went away
`;

function policies(): string {
  const rules = Object.entries(ERROR_CODES).filter(([code]) => code.startsWith("policy-"));
  return `Rules that chankit refuses to break, each under its own tag ("chankit help errors" lists every tag):\n\n${table(rules)}`;
}

function errors(): string {
  return `Every refusal has one of these tags. With --json it is {"error":{code,message,details}} on standard error.
The prefix gives the exit code: usage- 2 · input- json- wire- key- script- tx- 3 · policy- state- 4 · file- 5 · output- 6 (output-closed 141) ·
internal- 70 · busy- 75. Refusing a message marked * means that BOLT asks to fail the channel; + asks for a warning.

${table(Object.entries(ERROR_CODES).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}

const MARKS = { fail: "*", warning: "+" } as const;

function table(codes: readonly (readonly [string, { readonly what: string; readonly bolt?: keyof typeof MARKS }])[]): string {
  const width = Math.max(...codes.map(([code]) => code.length));
  return codes.map(([code, { what, bolt }]) => `${code.padEnd(width)} ${bolt === undefined ? " " : MARKS[bolt]} ${what}\n`).join("");
}

const GLOSSARY = `The article's words, and the ones used here:

PayMeFirst built by X      the remote commitment as X sees it: X signs it, the peer owns it (build-commitment --owner remote)
PayOtherFirst built by X   X's local commitment: the peer signs it (build-commitment --owner local)
payAliceFirstTx            Bob's commitment: the same bytes from both files
RSM contract               the to_local script: the owner after a delay, or the holder of the revocation key at once
revokeMessage              revoke_and_ack: the secret of number n, the point for n + 2
CheckSignature, Store      verify-sig
ReceiveRevokeMsg           receive-revocation
state 01 → state 02        commitment_number n → n + 1; counted from 0, by each side for itself

local, remote              whose file this is, and the peer
owner, countersigner       who may broadcast a commitment, and who signs it for the owner
opener, accepter           who proposed the channel (and pays the fee), and who accepted
to_local, to_remote        outputs, always from the owner's view
trimmed, untrimmed         HTLCs too small for an output, and the others
penalty, sweep             taking a revoked output, and one's own after its delay
`;
