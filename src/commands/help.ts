import { LnError } from "../protocol/errors.js";
import { TOPICS } from "./help/topics.js";
import { defineCommand } from "./shared/command.js";
import { TOPIC_NAMES, type Topic } from "./shared/topic-names.js";

export const command = defineCommand({
  name: "help",
  summary: "help on a command or a topic",
  args: [{ syntax: "[topic]", help: `a command, all, or ${TOPIC_NAMES.join(", ")}` }],
  flags: {},
  examples: ["chankit help workflow", "chankit help sign"],
  curve: false,
  exits: [],
  run: (_ctx, [topic]) => {
    const render = TOPICS[topic as Topic] as (() => string) | undefined;
    if (topic === undefined || render === undefined) {
      throw new LnError("usage-value", `there is no topic ${JSON.stringify(topic ?? "")}: ${TOPIC_NAMES.join(", ")}`, { value: topic ?? "" });
    }
    const text = render();
    return { document: { topic, text: text.split("\n") }, plain: text };
  },
});
