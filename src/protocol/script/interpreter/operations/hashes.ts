import { ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hash160 } from "../../assemble.js";
import { type Machine, type OperationTable, pop, push } from "../machine.js";
import { OP } from "../opcodes.js";

function hashing(hash: (bytes: Uint8Array) => Uint8Array): (machine: Machine) => void {
  return (machine) => {
    push(machine, hash(pop(machine)));
  };
}

export const HASHES: OperationTable = {
  [OP.OP_RIPEMD160]: hashing(ripemd160),
  [OP.OP_SHA1]: hashing(sha1),
  [OP.OP_SHA256]: hashing(sha256),
  [OP.OP_HASH160]: hashing(hash160),
  [OP.OP_HASH256]: hashing((bytes) => sha256(sha256(bytes))),
};
