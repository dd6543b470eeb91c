import { defineConfig } from "vite";

export default defineConfig({
  // dist/.gitkeep lets the Go package compile before the first build.
  build: { emptyOutDir: false, assetsInlineLimit: 0 },
  server: {
    proxy: { "/api": "http://127.0.0.1:8080", "/v1": "http://127.0.0.1:8080" },
  },
});
