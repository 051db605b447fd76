import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHANNEL_VERSION, readChannel } from "../../src/json/channel-file.js";
import { upgraded } from "../../src/json/upgrade.js";
import { tempDir } from "../support/cli.js";
import { ARTICLE, SEEDS, parties, readJson, runCommand, without } from "../support/party.js";
import { refusal } from "./refusal.js";

/** Bob's files as the first version of the format had them: Alice has paid and signed, and a payment of his own is under way. */
const FIRST = "fixtures/channel-v1";

describe("a channel.json of an earlier version", () => {
  test("goes on where it stood, and is written in the newest one", async () => {
    const bob = join(tempDir(), "bob");
    await runCommand("keygen", [bob], { seed: "-" }, { stdin: SEEDS.bob });
    cpSync(FIRST, bob, { recursive: true });
    expect(readJson(join(bob, "channel.json"))["version"]).toBe(1);

    expect((await runCommand("status", [bob])).document).toMatchObject({ party: "bob", phase: "open" });
    expect(readJson(join(bob, "channel.json"))["version"]).toBe(1);
    expect((await runCommand("make-revocation", [bob])).document).toMatchObject({ type: "revoke_and_ack" });

    const written = readJson(join(bob, "channel.json"));
    expect(written["version"]).toBe(CHANNEL_VERSION);
    expect(written["messages"]).toMatchObject({ reestablishing: false });
    expect(written).toMatchObject({ features: [], closing: { offers: { local: null, remote: null }, last_offer: null } });
    expect(upgraded(written)).toEqual(written);
  });

  test("every version on the way is read alike", async () => {
    const first = readJson(join(FIRST, "channel.json"));
    const state = readChannel(first, "c.json");
    const second = { ...first, version: 2, messages: { ...(first["messages"] as object), reestablishing: false } };
    expect(readChannel(second, "c.json")).toEqual(state);
    // Before the funding is known there is no close
    const p = await parties(ARTICLE, "proposed");
    const unfunded = readJson(join(p.alice, "channel.json"));
    expect(readChannel({ ...without(unfunded, "features"), version: 2 }, "c.json")).toEqual({ ...readChannel(unfunded, "c.json"), features: [] });
  });

  test("what is damaged in it is told as in the newest", () => {
    const damaged = { ...readJson(join(FIRST, "channel.json")), messages: 7 };
    expect(refusal(() => readChannel(damaged, "c.json"))).toMatchObject({ code: "json-value", details: { path: "messages" } });
  });

  test("what is of no version, or of a later one, is refused", () => {
    const first = readJson(join(FIRST, "channel.json"));
    expect(refusal(() => readChannel({ ...first, version: CHANNEL_VERSION + 1 }, "c.json"))).toMatchObject({ code: "file-version-newer" });
    for (const version of [0, -1, 1.5, "1", null]) {
      expect(refusal(() => readChannel({ ...first, version }, "c.json")).code).toMatch(/^json-/);
    }
    for (const other of [null, 7, [], "text"]) expect(upgraded(other)).toBe(other);
  });
});
