// Uploads one file with tus-js-client as a plain client would, by the options on standard input (one line of JSON).
//
// Answers with lines of JSON on standard output: each request with its status and offset, then `success`, `error` or
// `aborted`. After a 401 it asks for another token (`{"event": "unauthorized"}`) and reads it from standard input.
"use strict";

const fs = require("node:fs");
const { createRequire } = require("node:module");
const readline = require("node:readline");
const { Readable } = require("node:stream");

const tus = createRequire(`${process.env.TUS_HOME}/package.json`)("tus-js-client");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const next = async () => JSON.parse((await lines.next()).value);

async function main() {
  const given = await next();
  let token = given.token;
  const input = given.stream ? Readable.from(pieces(given.file)) : given.buffer ? fs.readFileSync(given.file) : fs.createReadStream(given.file);

  const upload = new tus.Upload(input, {
    endpoint: given.endpoint,
    retryDelays: [50, 100, 200, 400, 800],
    metadata: given.metadata,
    onShouldRetry: () => true,
    ...(given.storage ? { urlStorage: new tus.FileUrlStorage(given.storage) } : {}),
    ...given.options,
    onBeforeRequest: (request) => request.setHeader("Authorization", `Bearer ${token}`),
    onAfterResponse: async (request, response) => {
      const status = response.getStatus();
      const offset = response.getHeader("Upload-Offset");
      say({ event: "answer", method: request.getMethod(), status, offset: offset ? Number(offset) : null });
      if (status === 401 && !(given.staleFor > 0 && given.staleFor--)) {
        say({ event: "unauthorized" });
        token = (await next()).token;
      }
    },
    onProgress: async (sent) => {
      if (given.abortAfter && sent >= given.abortAfter) {
        given.abortAfter = 0;
        await upload.abort(Boolean(given.terminate));
        say({ event: "aborted", url: upload.url });
        process.exit(0);
      }
    },
    onSuccess: () => {
      say({ event: "success", url: upload.url });
      process.exit(0);
    },
    onError: (error) => {
      say({ event: "error", message: error.message, status: error.originalResponse?.getStatus() ?? null, url: upload.url });
      process.exit(0);
    },
  });
  if (given.storage) {
    const previous = await upload.findPreviousUploads();
    say({ event: "previous", count: previous.length });
    if (previous.length) upload.resumeFromPreviousUpload(previous[0]);
  }
  upload.start();
}

async function* pieces(file) {
  for await (const piece of fs.createReadStream(file, { highWaterMark: 50_000 })) yield piece;
}

main();
