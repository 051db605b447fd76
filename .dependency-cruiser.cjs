// Which part of src/ may import what. What may be touched in one place only is in eslint.config.js.

const npm = (...names) => `(^|/)node_modules/(${names.join("|")})(/|$)`;
const node = (...names) => `^(node:)?(${names.join("|")})(/|$)`;
const protocol = "^src/protocol/";
const parts = (...names) => `${protocol}(${names.join("|")})/`;
const shared = "^src/commands/shared/";
/** A file or a folder directly under src/commands; $1 is the command's name. */
const command = "^src/commands/(?!shared/|registry[.]ts$)([^/.]+)";

const rules = {
  // The protocol core, pure and synchronous. Its files read from left to right: keys, script, tx, channel.
  "protocol-is-pure": [{ path: protocol }, { pathNot: [protocol, npm("bitcoinjs-lib", "@noble/[^/]+")] }],
  "base-imports-no-part": [{ path: `${protocol}[^/]+$` }, { path: `${protocol}[^/]+/` }],
  "keys-left-of-the-rest": [{ path: parts("keys") }, { path: parts("script", "tx", "channel", "policy", "wire") }],
  "script-left-of-the-rest": [{ path: parts("script") }, { path: parts("tx", "channel", "policy", "wire") }],
  "tx-left-of-the-rest": [{ path: parts("tx") }, { path: parts("channel", "policy", "wire") }],
  "wire-knows-no-transactions": [{ path: parts("wire") }, { path: parts("tx", "policy") }],
  "policy-before-transitions": [{ path: parts("policy") }, { path: `${protocol}channel/transitions` }],
  "policy-asked-by-transitions-and-commands": [
    { path: "^src/", pathNot: [parts("policy"), `${protocol}channel/transitions`, "^src/commands/", "^src/index[.]ts$"] },
    { path: parts("policy") },
  ],
  "nothing-in-the-core-looks-at-it": [{ path: protocol, pathNot: parts("diagnose", "explain") }, { path: parts("diagnose", "explain") }],

  // The floors above it.
  "library-is-the-protocol": [{ path: "^src/index[.]ts$" }, { pathNot: protocol }],
  "curve-behind-ecc": [{ path: "^src/", pathNot: "^src/ecc/" }, { path: npm("tiny-secp256k1", "secp256k1", "@scure/btc-signer") }],
  "ecc-serves-the-core": [{ path: "^src/ecc/" }, { path: "^src/", pathNot: ["^src/ecc/", protocol] }],
  "json-below-store": [{ path: "^src/json/" }, { path: ["^src/(store|commands|ecc|cli)", npm("chalk", "commander")] }],
  "wif-in-json": [{ path: "^src/", pathNot: "^src/json/" }, { path: npm("ecpair") }],
  "store-moves-data": [{ path: "^src/store/" }, { path: ["^src/(commands|ecc|cli)", parts("tx", "script"), npm("chalk", "commander")] }],
  "node-beside-store": [{ path: "^src/node/" }, { path: ["^src/(store|vectors|commands|ecc|cli)", parts("tx", "script", "policy")] }],
  "node-serves-commands": [{ path: "^src/(protocol|json|store|vectors|ecc|index)" }, { path: "^src/node/" }],
  "network-in-node": [{ path: "^src/", pathNot: "^src/node/" }, { path: node("http", "https", "net", "tls", "dgram", "dns") }],
  "vectors-above-json": [{ path: "^src/vectors/" }, { path: ["^src/(store|commands|ecc|cli)", npm("chalk", "commander")] }],
  "vectors-serve-commands": [{ path: "^src/(protocol|json|store|ecc|index)" }, { path: "^src/vectors/" }],
  "explore-below-commands": [{ path: "^src/explore/" }, { path: ["^src/(commands|vectors|ecc|cli)", npm("chalk", "commander")] }],
  "explore-serves-commands": [{ path: "^src/(protocol|json|store|ecc|vectors|index)" }, { path: "^src/explore/" }],
  "audit-below-commands": [{ path: "^src/audit/" }, { path: ["^src/(commands|vectors|explore|ecc|cli)", npm("chalk", "commander")] }],
  "audit-serves-commands": [{ path: "^src/(protocol|json|store|ecc|vectors|explore|index)" }, { path: "^src/audit/" }],
  "commands-are-strangers": [{ path: command }, { path: command, pathNot: "^src/commands/$1(/|[.]ts$)" }],
  "shared-knows-no-command": [{ path: shared }, { path: command }],
  "commands-build-nothing": [{ path: "^src/commands/" }, { path: npm("bitcoinjs-lib") }],
  "commands-ask-their-context": [
    { path: command },
    { path: node("fs", "child_process", "worker_threads", "crypto", "os", "process", "net", "http", "https", "readline", "tty", "timers") },
  ],
  "files-through-store": [{ path: "^src/", pathNot: ["^src/store/", `${shared}(io|context)[.]ts$`, "^src/start[.]cts$"] }, { path: node("fs") }],
  "colour-in-render": [{ path: "^src/", pathNot: `${shared}render[.]ts$` }, { path: npm("chalk") }],
  "nobody-calls-cli": [{ path: "^src/", pathNot: "^src/start[.]cts$" }, { path: "^src/cli[.]ts$" }],
  "global-process-only": [{ path: "^src/" }, { path: node("process", "console") }],

  "src-stands-alone": [{ path: "^src/" }, { path: "^(test|fixtures|dist|bin)/" }],
  "no-development-packages": [{ path: "^src/" }, { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] }],
  "what-is-imported-exists": [{ path: "^src/" }, { couldNotResolve: true }],
  // help lists the commands that the registry loads lazily: a cycle on paper only.
  "no-cycle": [{ path: "^src/" }, { circular: true, viaOnly: { dependencyTypesNot: ["dynamic-import"] } }],
};

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: Object.entries(rules).map(([name, [from, to]]) => ({ name, severity: "error", from, to })),
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["node", "import", "types", "default"] },
  },
};
