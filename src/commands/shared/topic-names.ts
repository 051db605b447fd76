/** What `help` knows beside the commands. */
export const TOPIC_NAMES = ["workflow", "files", "exit-codes", "policies", "errors", "glossary"] as const;
export type Topic = (typeof TOPIC_NAMES)[number];
