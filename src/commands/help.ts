import { LnError } from "../protocol/errors.js";
import { TOPICS } from "./help/topics.js";
import { type Report, defineCommand } from "./shared/command.js";
import { toggle } from "./shared/options.js";
import { TOPIC_NAMES, type Topic } from "./shared/topic-names.js";

export const command = defineCommand({
  name: "help",
  summary: "help on a command or a topic",
  args: [{ syntax: "[topic]", help: `a command, all, or ${TOPIC_NAMES.join(", ")}` }],
  flags: { man: toggle("--man", "the manual, for man(1): its first page, or with -o DIR/ a page for each command too") },
  examples: ["chankit help workflow", "chankit help sign", "chankit help --man | man -l -"],
  curve: false,
  exits: [],
  run: async (_ctx, [topic], o) => {
    if (o.man === true) {
      if (topic !== undefined) throw new LnError("usage-argument", "--man prints the whole manual: it goes with no topic", { topic });
      return manual();
    }
    const render = TOPICS[topic as Topic] as (() => string) | undefined;
    if (topic === undefined || render === undefined) {
      throw new LnError("usage-value", `there is no topic ${JSON.stringify(topic ?? "")}: ${TOPIC_NAMES.join(", ")}`, { value: topic ?? "" });
    }
    const text = render();
    return { document: { topic, text: text.split("\n") }, plain: text };
  },
});

async function manual(): Promise<Report> {
  // The registry names this command, too: it is asked once this one runs
  const [{ REGISTRY }, { manPages }] = await Promise.all([import("./registry.js"), import("./help/man.js")]);
  const parts = (await manPages(REGISTRY)).map(({ fileName, text }) => ({
    document: { page: fileName, text: text.split("\n") },
    plain: text,
    fileName,
  }));
  const [{ document, plain }] = parts as [(typeof parts)[number], ...typeof parts];
  return { document, plain, parts };
}
