import { LnError } from "../protocol/errors.js";
import { TOPICS, type Topic } from "./help/topics.js";
import { defineCommand } from "./shared/command.js";

export const command = defineCommand({
  name: "help",
  summary: "help on a command or a topic",
  args: [{ syntax: "[topic]", help: `a command, all, or ${Object.keys(TOPICS).join(", ")}` }],
  flags: {},
  examples: ["chankit help workflow", "chankit help sign"],
  curve: false,
  exits: [],
  run: (_ctx, [topic]) => {
    const render = TOPICS[topic as Topic] as (() => string) | undefined;
    if (topic === undefined || render === undefined) {
      throw new LnError("usage-value", `there is no topic ${JSON.stringify(topic ?? "")}: ${Object.keys(TOPICS).join(", ")}`, { value: topic ?? "" });
    }
    const text = render();
    return { document: { topic, text: text.split("\n") }, plain: text };
  },
});
