import { readFileSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const root = new URL("..", import.meta.url).pathname;

export default defineConfig({
  root,
  plugins: [
    cloudflareTest({
      wrangler: { configPath: `${root}wrangler.toml` },
      miniflare: {
        bindings: {
          TEST_SCHEMA: readFileSync(`${root}schema.sql`, "utf8"),
          FLOOD_SEED: process.env.FLOOD_SEED ?? "",
          OPERATOR_TOKEN: "an-operator-token-for-tests-only-0123456789",
          CREDENTIALS_KEY: Buffer.alloc(32, "for tests only").toString("base64"),
        },
      },
    }),
  ],
  test: {
    include: ["test/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    globalSetup: ["test/provider-stand-in.ts", "test/webhook-receiver.ts"],
    // Most of the time tests wait, for time-outs above all: two cores are idle for three quarters of it otherwise.
    maxWorkers: 3,
    // On a busy machine of two cores.
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
