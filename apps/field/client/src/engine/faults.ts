/** What went wrong, in the engine's words: codes that screens have sentences for. */

import { OutOfStep } from "./pull.ts";
import { EngineError, type SyncErrorCode } from "./types.ts";
import { ConnectionCut, Refused, Wiped } from "./wire.ts";

/** Say what went wrong with sync as a whole. */
export function codeOf(error: unknown): [SyncErrorCode, string] {
  if (error instanceof ConnectionCut) return ["offline", ""];
  if (error instanceof OutOfStep) return ["out-of-step", error.message];
  if (error instanceof DOMException) return ["storage", error.name];
  if (!(error instanceof Refused)) return ["unexpected", String(error)];
  if (error.status === 401) return ["sign-in", error.code];
  if (error.status === 403) return ["suspended", error.code];
  if (error.status === 426) return ["upgrade", String(error.problem.min_version ?? "")];
  if (error.status === 429) return ["busy", error.code];
  if (error.status >= 500) return [error.retryAfter === null ? "server" : "busy", error.code];
  return ["unexpected", error.code];
}

/** Say why a command failed. */
export function commandFault(error: unknown): Error {
  if (error instanceof EngineError || error instanceof Wiped) return error;
  if (error instanceof ConnectionCut) return new EngineError("offline");
  if (!(error instanceof Refused)) return new EngineError("unexpected", String(error));
  if (error.code === "code-not-usable" || error.code === "sign-in-refused") return new EngineError(error.code);
  if (error.status === 426) return new EngineError("upgrade", String(error.problem.min_version ?? ""));
  return new EngineError(error.status >= 500 || error.status === 429 ? "server" : "unexpected", error.code);
}
