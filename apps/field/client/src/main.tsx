/** Starts the app: the worker that keeps it for offline use, the engine, and the screens. */

import { render } from "preact";
import { App } from "./app.tsx";
import { registerWorker } from "./engine/worker.ts";

registerWorker();
render(<App />, document.getElementById("app") as HTMLElement);
