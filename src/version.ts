/** As in package.json, which a test holds it to: reading that file would be a part of every start. */
export const VERSION = "0.1.0";
