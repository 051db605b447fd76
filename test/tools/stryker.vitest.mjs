import { defineConfig } from "vitest/config";
import { area } from "./mutation-areas.mjs";

export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000, include: area.tests, setupFiles: "test/setup.ts" } });
