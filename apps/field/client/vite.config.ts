/** How the app is built: hashed assets below /field/, nothing inline (the content policy forbids it), and the worker. */

import { readFileSync } from "node:fs";
import { defineConfig } from "vite";
import { precache } from "./build/precache.ts";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };
const define = { __APP_VERSION__: JSON.stringify(version) };

export default defineConfig({
  base: "/field/",
  define,
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    sourcemap: false,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  plugins: [precache(define)],
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
  },
} as Parameters<typeof defineConfig>[0]);
