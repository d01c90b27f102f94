import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    {
      // The same as esbuild's "binary" loader, so that tests load lz4-wasm like the bundles do.
      name: "wasm-as-bytes",
      enforce: "pre",
      load(id) {
        if (!id.endsWith(".wasm")) return null;
        return `export default Buffer.from(${JSON.stringify(readFileSync(id).toString("base64"))}, "base64");`;
      },
    },
  ],
  test: {
    include: ["test/unit/**/*.test.ts", "test/contract/**/*.test.ts", "test/crash/**/*.test.ts"],
    globalSetup: ["test/support/buildOnce.ts"],
    testTimeout: 60_000,
    // Otherwise Node itself would load lz4-wasm's wasm module, which it does not understand.
    server: { deps: { inline: [/lz4-wasm/] } },
  },
});
