/** Builds the page on which tests drive the engine; no part of the product. */

import { defineConfig } from "vite";

export default defineConfig({
  base: "/field/",
  publicDir: false,
  define: { __APP_VERSION__: '"1.0.0"' },
  build: { target: "es2022", modulePreload: { polyfill: false }, rolldownOptions: { input: "harness.html" } },
  worker: { format: "es" },
});
