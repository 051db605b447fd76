import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * A rule that forbids every node that `selector` matches.
 * @param {string} selector
 * @param {string} message
 * @returns {import("eslint").Rule.RuleModule}
 */
const forbid = (selector, message) => ({
  create: (context) => ({
    [selector]: (/** @type {import("estree").Node} */ node) => {
      context.report({ node, message });
    },
  }),
});

/**
 * Uses of `object.property`, also by destructuring.
 * @param {string} object
 * @param {string} property a pattern
 */
const member = (object, property) =>
  `MemberExpression[object.name='${object}'][property.name=/^(${property})$/], ` +
  `VariableDeclarator[init.name='${object}'] > ObjectPattern > Property[key.name=/^(${property})$/]`;

const IO = "src/commands/shared/io.ts";
const CONTEXT = "src/commands/shared/context.ts";
const EXIT = "src/cli.ts";
const TESTS = "test/**/*.ts";
const FILE_WRITERS =
  "writeFile|appendFile|rename|unlink|rm|rmdir|mkdir|mkdtemp|copyFile|cp|link|symlink|truncate|ftruncate|chmod|fchmod|createWriteStream";

/**
 * What may be touched in one place only. Imports, the other half of the same table, are in .dependency-cruiser.cjs.
 * @type {Record<string, { files: string[], except?: string[], selector: string, message: string }>}
 */
const arrows = {
  "new-transaction": {
    files: ["src/**/*.ts"],
    // The adversary of `explore` makes its own: it is not made of what it attacks
    except: ["src/protocol/tx/**", "src/explore/take.ts"],
    selector: "NewExpression[callee.name='Transaction'], NewExpression[callee.property.name='Transaction']",
    message: "Only src/protocol/tx makes transactions.",
  },
  "script-compile": {
    files: ["src/**/*.ts"],
    except: ["src/protocol/script/assemble.ts"],
    selector: "CallExpression[callee.property.name='compile'], ImportSpecifier[imported.name='compile']",
    message: "Only src/protocol/script/assemble.ts compiles scripts: it alone encodes numbers minimally.",
  },
  "standard-streams": {
    files: ["src/**/*.ts"],
    except: [IO],
    selector: `${member("process", "stdin|stdout|stderr")}, Identifier[name='console']`,
    message: `Only ${IO} touches stdin, stdout and stderr.`,
  },
  "exit-code": {
    files: ["src/**/*.ts"],
    except: [EXIT],
    selector: member("process", "exitCode"),
    message: `Only ${EXIT} sets the exit code.`,
  },
  "no-exit": {
    files: ["src/**/*.ts"],
    selector: member("process", "exit|reallyExit|abort"),
    message: "Leaving at once loses what a pipe has not taken yet: set the exit code and return.",
  },
  "clock-and-chance": {
    files: ["src/**/*.ts"],
    except: [CONTEXT],
    selector: `Identifier[name=/^(Date|performance|hrtime)$/], ${member("Math", "random")}, ${member("crypto", "\\w+")}`,
    message: `The clock and randomness come from ${CONTEXT}, so that tests give them.`,
  },
  "outside-world": {
    files: ["src/**/*.ts"],
    except: [EXIT, "src/commands/shared/**", "src/store/**"],
    selector:
      "Identifier[name=/^(process|globalThis|global|Buffer|fetch|setTimeout|setInterval|setImmediate)$/]:not(MemberExpression[computed=false] > .property, Property > .key)",
    message: "The world outside reaches this code as arguments only.",
  },
  "write-files": {
    files: ["src/**/*.ts"],
    except: ["src/store/**"],
    selector: ["ImportSpecifier[imported.name", "CallExpression[callee.property.name"]
      .map((name) => `${name}=/^(${FILE_WRITERS})(Sync)?$/]`)
      .join(", "),
    message: "Only src/store writes files.",
  },
  "no-skipped-tests": {
    files: [TESTS],
    selector: "MemberExpression[property.name=/^(skip|only|todo|fails)$/]",
    message: "A test runs, or it is not there.",
  },
  "telling-names": {
    files: ["{src,test}/**/{helpers,utils,types}.{ts,mjs}"],
    selector: "Program",
    message: "This name says nothing about what lives here.",
  },
};

export default defineConfig(
  { ignores: ["coverage/", "dist/", "fixtures/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.mjs", "eslint.config.js"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      // Where a function that gives nothing is asked for, nobody can mistake what a shorthand gives.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreVoidReturningFunctions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      // A type alias is assignable to a record, an interface is not: both have their use.
      "@typescript-eslint/consistent-type-definitions": "off",
      // It asks for the `!` that no-non-null-assertion forbids.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // tsc's noPropertyAccessFromIndexSignature asks for process.env["X"].
      "@typescript-eslint/dot-notation": "off",
      eqeqeq: "error",
      "no-warning-comments": "error",
    },
  },
  // Casts written as JSDoc are unseen by the second rule.
  { files: ["**/*.{js,cjs,mjs}"], rules: { "no-undef": "off", "@typescript-eslint/no-unsafe-assignment": "off" } },
  { files: [TESTS], rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
  {
    plugins: {
      arrows: { rules: Object.fromEntries(Object.entries(arrows).map(([name, { selector, message }]) => [name, forbid(selector, message)])) },
    },
  },
  Object.entries(arrows).map(([name, { files, except = [] }]) => ({ files, ignores: except, rules: { [`arrows/${name}`]: "error" } })),
);
