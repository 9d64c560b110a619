/** The engine as screens see it. */

export * from "./types.ts";
