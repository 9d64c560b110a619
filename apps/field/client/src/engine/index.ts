/** The engine as screens see it: one object, its types, nothing else. */

import { PhoneEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

export * from "./find-types.ts";
export * from "./types.ts";
export const engine: Engine = new PhoneEngine();
