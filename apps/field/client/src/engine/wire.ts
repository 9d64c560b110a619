/**
 * HTTP as the protocol wants it: headers, gzip, renewal of an expired token that survives a lost answer, and the words
 * that end everything (device lost, app too old). It knows neither records nor photos.
 */

import { base64, type Bytes, concat, hex, sha256, utf8, uuid7 } from "./bytes.ts";
import type { Db } from "./db.ts";
import { alone, TOKENS } from "./locks.ts";
import { type Clock, delay, LONGEST_DELAY } from "./patience.ts";
import { sign, type Vault } from "./vault.ts";

export const API = "/mobile/v1";
const PACK_FROM = 2000;
const SECONDS = 60;

export interface Problem {
  code?: string;
  detail?: string;
  wipe?: boolean;
  limits?: { mutations?: number };
  min_version?: string;
  errors?: { pointer: string; code: string; detail?: string }[];
  [key: string]: unknown;
}

/** No answer came, or half of one: whether the request was processed, nobody knows. */
export class ConnectionCut extends Error {}

/** The server answered, and not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retryAfter: number | null,
  ) {
    super(`${status} ${problem.code ?? ""}`);
  }

  get code(): string {
    return this.problem.code ?? "";
  }
}

/** The server told this phone to erase itself, and it has. */
export class Wiped extends Error {}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}
/** Bytes as they came; `isCut` is why there are no more, if the connection broke. */
export interface Piece {
  status: number;
  bytes: Bytes;
  isCut: ConnectionCut | null;
}
export interface Tokens {
  access_token: string;
  refresh_token: string;
}
interface Asked {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: BodyInit | null;
  signal?: AbortSignal | undefined;
  seconds?: number;
  /** Takes the body of a good answer, where it is no text. */
  take?: (body: ReadableStream<Uint8Array>) => Promise<void>;
}

export class Wire {
  /** Bytes of answers so far, as they were read. */
  received = 0;
  /** What the server's clock said last; only ever shown, never compared with the phone's. */
  serverTime: string | null = null;
  /** Called whenever the server has answered, whatever it said. */
  heard: () => void = () => undefined;

  constructor(
    private readonly db: Db,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly wipe: () => Promise<void>,
    private readonly fetcher: typeof fetch = (...given) => fetch(...given),
  ) {}

  /** Make one API call with JSON in and out; renews an expired token once. */
  async call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, seconds = SECONDS): Promise<T> {
    const sent = body === undefined ? null : utf8(JSON.stringify(body));
    const headers: Record<string, string> = { Accept: "application/json" };
    if (sent) headers["Content-Type"] = "application/json";
    const packed = sent && sent.length > PACK_FROM ? await gzip(sent) : null;
    if (packed) headers["Content-Encoding"] = "gzip";
    const answer = await this.signedIn({ method, path: API + path, headers, body: packed ?? sent, signal, seconds });
    await this.obey(answer);
    return parsed<T>(answer);
  }

  /** Get bytes that are no JSON. What is not there (404) is told by the status; anything else is obeyed. */
  async bytes(path: string): Promise<Piece> {
    const got: Bytes[] = [];
    let isCut: ConnectionCut | null = null;
    const take = async (body: ReadableStream<Uint8Array>) => {
      const reader = body.getReader();
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) {
          got.push(next.value as Bytes);
          this.received += next.value.length;
        }
      } catch (error) {
        isCut = new ConnectionCut(String(error));
      }
    };
    const answer = await this.signedIn({ method: "GET", path: API + path, headers: { Accept: "*/*" }, take, seconds: 300 });
    if (answer.status !== 404) await this.obey(answer);
    return { status: answer.status, bytes: concat(...got), isCut };
  }

  /** Ask with the device's token; renew it once when it has run out. Gives the answer whatever it says. */
  async signedIn(asked: Asked): Promise<Answer> {
    const used = await this.tokens();
    const answer = await this.ask(asked, used.access_token);
    const mayBeExpired = answer.text === "" || problemOf(answer).code === "token-expired"; // HEAD says nothing
    if (answer.status !== 401 || !mayBeExpired) return answer;
    await this.refresh(used);
    return this.ask(asked, (await this.tokens()).access_token);
  }

  /** Act on what an answer says of the phone as a whole; throws Refused for anything but success. */
  async obey(answer: Answer): Promise<void> {
    if (answer.status < 400) return;
    const problem = problemOf(answer);
    if (problem.code === "device-revoked" && problem.wipe) {
      await this.wipe();
      throw new Wiped();
    }
    const asked = answer.headers.get("Retry-After");
    const retryAfter = asked === null || Number.isNaN(Number(asked)) ? null : Number(asked);
    if (retryAfter !== null) await this.db.put({ not_before: this.clock.now() + delay(0, retryAfter) });
    throw new Refused(answer.status, problem, retryAfter);
  }

  /** How long the server has asked to be left alone; a clock that jumps back cannot make it for ever. */
  async pause(): Promise<number> {
    const until = (await this.db.get<number>("not_before")) ?? 0;
    return Math.max(0, Math.min(until - this.clock.now(), LONGEST_DELAY * 1.5));
  }

  async keepTokens(tokens: Tokens): Promise<void> {
    const { access_token, refresh_token } = tokens;
    const sealed = await this.vault.seal({ access_token, refresh_token }, "tokens");
    await this.db.put({ tokens: sealed, refresh_request: undefined });
  }

  async tokens(): Promise<Tokens> {
    const sealed = await this.db.get<Uint8Array<ArrayBuffer>>("tokens");
    return sealed ? this.vault.open<Tokens>(sealed, "tokens") : { access_token: "", refresh_token: "" };
  }

  /** Sign a text with the device key: base64 of r‖s. */
  async sign(message: string): Promise<string> {
    const pair = await this.db.get<CryptoKeyPair>("device_key");
    return base64(await sign((pair as CryptoKeyPair).privateKey, utf8(message)));
  }

  /** Ask without a token: enrolment, rotation, signing in. */
  async stranger<T>(path: string, body: unknown): Promise<T> {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const answer = await this.ask({ method: "POST", path: API + path, headers, body: JSON.stringify(body) }, null);
    await this.obey(answer);
    return parsed<T>(answer);
  }

  /** Rotate the tokens; the request id is kept until the answer has arrived, so a lost answer costs nothing. */
  private async refresh(used: Tokens): Promise<void> {
    await alone(TOKENS, async () => {
      const held = await this.tokens();
      if (held.access_token !== used.access_token) return; // another tab was first
      const request = (await this.db.get<string>("refresh_request")) ?? uuid7();
      await this.db.put({ refresh_request: request });
      const device = (await this.db.get<string>("device_id")) ?? "";
      const token = held.refresh_token;
      const signature = await this.sign(`refresh|${device}|${request}|${hex(await sha256(utf8(token)))}`);
      const body = { refresh_token: token, request_id: request, signature };
      await this.keepTokens(await this.stranger<Tokens>("/sessions/refresh", body));
    });
  }

  private async ask(asked: Asked, token: string | null): Promise<Answer> {
    const headers: Record<string, string> = {
      "Sync-Protocol": "1",
      "App-Version": __APP_VERSION__,
      ...asked.headers,
    };
    if (token !== null) {
      headers.Authorization = `Bearer ${token}`;
      headers["X-Device-Id"] = (await this.db.get<string>("device_id")) ?? "";
    }
    const ending = new AbortController(); // by hand: older phones cannot join two signals
    const end = () => ending.abort();
    const late = setTimeout(end, (asked.seconds ?? SECONDS) * 1000);
    asked.signal?.addEventListener("abort", end, { once: true });
    if (asked.signal?.aborted) end();
    try {
      const answer = await this.fetcher(asked.path, {
        method: asked.method,
        headers,
        body: asked.body ?? null,
        signal: ending.signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
      const isTaken = asked.take && answer.ok && answer.body;
      if (isTaken) await asked.take?.(answer.body as ReadableStream<Uint8Array>);
      const text = isTaken ? "" : await answer.text();
      this.received += text.length;
      this.serverTime = answer.headers.get("X-Server-Time") ?? this.serverTime;
      this.heard();
      return { status: answer.status, headers: answer.headers, text };
    } catch (error) {
      if (asked.signal?.aborted) throw asked.signal.reason;
      throw new ConnectionCut(String(error));
    } finally {
      clearTimeout(late);
      asked.signal?.removeEventListener("abort", end);
    }
  }
}

export function problemOf(answer: Answer): Problem {
  try {
    return JSON.parse(answer.text) as Problem;
  } catch {
    return {};
  }
}

function parsed<T>(answer: Answer): T {
  if (!answer.text) return {} as T;
  try {
    return JSON.parse(answer.text) as T;
  } catch {
    throw new ConnectionCut("half an answer");
  }
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | null> {
  if (!("CompressionStream" in globalThis)) return null;
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(packed).arrayBuffer();
}
