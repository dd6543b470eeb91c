import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What every page of every site waits for has a limit: bytes, gzipped. */
const limit = 6 * 1024;

/** Fails the build when the snippet has grown too large. */
const smallEnough: Plugin = {
  name: "small-enough",
  generateBundle(_, bundle) {
    for (const output of Object.values(bundle)) {
      if (output.type !== "chunk") {
        continue;
      }
      const size = gzipSync(output.code, { level: 9 }).length;
      if (size > limit) {
        this.error(
          `${output.fileName} is ${String(size)} bytes gzipped; the limit is ${String(limit)}`,
        );
      }
      this.info(`${output.fileName} is ${String(size)} bytes gzipped`);
    }
  },
};

// The snippet is one classic script, built after the dashboard and put beside it.
export default defineConfig({
  publicDir: false,
  build: {
    emptyOutDir: false,
    target: "es2020",
    lib: {
      entry: "snippet/main.ts",
      formats: ["iife"],
      name: "musterSnippet",
      fileName: () => "snippet.js",
    },
  },
  plugins: [smallEnough],
});
