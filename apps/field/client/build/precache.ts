/**
 * Builds the service worker after the app and gives it the list of what to keep (workbox-precaching's manifest).
 *
 * A file with a hash in its name is its own revision; the others carry the hash of their bytes. Source of the worker:
 * `src/sw.ts`. The same list lies in `.vite/precache.json` for the check of the size budget.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin, type ResolvedConfig } from "vite";

const HASHED = /^assets\/.+-[\w-]{8,}\.\w+$/;
const LATER = /^assets\/later-|\.map$/;

export function precache(define: Record<string, string>): Plugin {
  let config: ResolvedConfig;
  return {
    name: "haidang-precache",
    apply: "build",
    configResolved(resolved) {
      config = resolved;
    },
    closeBundle: {
      sequential: true,
      async handler() {
        const out = join(config.root, relative(config.root, config.build.outDir));
        const names = files(out).filter((name) => !LATER.test(name));
        const entries = names.map((name) => ({
          url: name === "index.html" ? config.base : config.base + name,
          revision: HASHED.test(name) ? null : digest(readFileSync(join(out, name))),
        }));
        writeFileSync(join(out, ".vite", "precache.json"), JSON.stringify(names, null, 1));
        await build({
          configFile: false,
          root: config.root,
          base: config.base,
          logLevel: "warn",
          define: { ...define, __PRECACHE__: JSON.stringify(entries), "process.env.NODE_ENV": '"production"' },
          build: {
            outDir: out,
            emptyOutDir: false,
            copyPublicDir: false,
            target: "es2022",
            reportCompressedSize: false,
            rolldownOptions: {
              input: join(config.root, "src/sw.ts"),
              output: { format: "iife", entryFileNames: "sw.js" },
            },
          },
        });
      },
    },
  };
}

function files(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith("."))
    .flatMap((entry) => {
      const name = below ? `${below}/${entry.name}` : entry.name;
      return entry.isDirectory() ? files(folder, name) : [name];
    })
    .filter((name) => name !== "sw.js")
    .sort();
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
