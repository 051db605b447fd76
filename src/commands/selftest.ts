import { sha256 } from "@noble/hashes/sha2.js";
import { loadNative } from "../ecc/native.js";
import { tiny, wasm } from "../ecc/wasm.js";
import { passesKeyChecks } from "../json/wif.js";
import { type Point, bytes32, fromHex, point, toHex } from "../protocol/bytes.js";
import { type Ecc, ecc, useEcc } from "../protocol/ecc.js";
import { deriveKey, deriveRevocationPubkey, deriveRevocationSecret, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { perCommitmentSecret } from "../protocol/keys/shachain.js";
import { Secret32 } from "../protocol/secret.js";
import { signHash, signHashLowR } from "../protocol/tx/sign.js";
import { defineCommand } from "./shared/command.js";

/** The example's secrets. BOLT 3 §Appendix E: Key Derivation Test Vectors. */
const BASE = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const PER_COMMITMENT = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
const BASE_POINT = "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2";
const PER_COMMITMENT_POINT = "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486";
/** What libraries' own tests of RFC 6979 on this curve sign with the secret 1. */
const HASH = bytes32(sha256(new TextEncoder().encode("Satoshi Nakamoto")));
const ONE = `${"00".repeat(31)}01`;
/** The group's order: no secret and no r of a signature. */
const ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

const secretOf = (hex: string) => new Secret32(fromHex(hex));
const pointOf = (hex: string): Point<never> => point<never>(fromHex(hex));

/** A value derived by a backend, and what it must be. */
interface Check {
  readonly name: string;
  readonly derive: () => string | boolean;
  readonly expected: string | boolean;
}

const CHECKS: readonly Check[] = [
  { name: "base_point", derive: () => toHex(publicKey(secretOf(BASE))), expected: BASE_POINT },
  {
    name: "localpubkey",
    derive: () => toHex(deriveKey(pointOf(BASE_POINT), pointOf(PER_COMMITMENT_POINT))),
    expected: "0235f2dbfaa89b57ec7b055afe29849ef7ddfeb1cefdb9ebdc43f5494984db29e5",
  },
  {
    name: "localprivkey",
    derive: () => toHex(deriveSecret(secretOf(BASE), pointOf(PER_COMMITMENT_POINT)).reveal()),
    expected: "cbced912d3b21bf196a766651e436aff192362621ce317704ea2f75d87e7be0f",
  },
  {
    name: "revocationpubkey",
    derive: () => toHex(deriveRevocationPubkey(pointOf(BASE_POINT), pointOf(PER_COMMITMENT_POINT))),
    expected: "02916e326636d19c33f13e8c0c3a03dd157f332f3e99c317c141dd865eb01f8ff0",
  },
  {
    name: "revocationprivkey",
    derive: () => toHex(deriveRevocationSecret(secretOf(BASE) as Secret32<never>, secretOf(PER_COMMITMENT) as Secret32<never>).reveal()),
    expected: "d09ffff62ddb2297ab000cc85bcb4283fdeb6aa052affbc9dddcf33b61078110",
  },
  {
    name: "generate_from_seed 0 final node",
    derive: () => toHex(perCommitmentSecret(secretOf("00".repeat(32)) as Secret32<never>, 0).reveal()),
    expected: "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
  },
  {
    name: "signature (RFC 6979)",
    derive: () => toHex(signHash(HASH, secretOf(ONE))),
    expected: "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
  },
  { name: "signature with a low R", derive: () => verifies(signHashLowR(HASH, secretOf(ONE))), expected: true },
  { name: "r that is the order refused", derive: () => verifies(fromHex(ORDER + ONE)), expected: false },
  { name: "point off the curve refused", derive: () => ecc().isPoint(fromHex(`02${"00".repeat(31)}05`)), expected: false },
  { name: "secret that is the order refused", derive: () => ecc().isSecret(fromHex(ORDER)), expected: false },
];

function verifies(signature: Uint8Array): boolean {
  return ecc().verify(HASH, publicKey(secretOf(ONE)), signature);
}

export const command = defineCommand({
  name: "selftest",
  summary: "check the curve backends and the libraries, say which is used",
  description:
    "Derives the published values of BOLT 3's appendices D and E and a known signature with every curve backend that is installed, runs the key " +
    "library's own checks, and says which backend the commands use and why.",
  args: [],
  flags: {},
  examples: ["chankit selftest", "CHANKIT_ECC=wasm chankit selftest"],
  curve: true,
  exits: [1],
  run: async () => {
    const used = ecc();
    const native = loadNative("");
    const checks = [...checked(wasm), ...(native === null ? [] : checked(native))];
    useEcc(used);
    const all = [...checks, { backend: wasm.name, check: "ecpair's checks of the library", ok: await passesKeyChecks(tiny) }];
    const failed = all.filter(({ ok }) => !ok).length;
    return {
      document: {
        backend: used.name,
        reason: reasonFor(used.name, native !== null),
        installed: native === null ? ["wasm"] : ["wasm", "native"],
        checks: all,
        failed,
      },
      verdict: failed === 0 ? "yes" : "no",
    };
  },
});

function reasonFor(used: Ecc["name"], nativeThere: boolean): string {
  if (used === "native") return "the native addon is installed, and CHANKIT_ECC does not ask for another";
  return nativeThere ? "CHANKIT_ECC asks for it" : "the native addon is not installed or not built for this system";
}

function checked(backend: Ecc): readonly { readonly backend: string; readonly check: string; readonly ok: boolean }[] {
  useEcc(backend);
  return CHECKS.map(({ name, derive, expected }) => ({ backend: backend.name, check: name, ok: derive() === expected }));
}
