import { defineConfig } from "vitest/config";

const root = new URL("../..", import.meta.url).pathname;

/** One stack for all files, so they run one after the other. */
export default defineConfig({
  root,
  test: {
    include: ["test/e2e/*.test.ts"],
    globalSetup: ["test/e2e/stack.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
