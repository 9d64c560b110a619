/** Starts the app: the worker that keeps it for offline use, the engine, and the screens. */

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/screens.css";
import "./styles/finds.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { engine } from "./engine/index.ts";
import { registerWorker } from "./engine/worker.ts";
import { loadWords } from "./i18n/index.ts";

registerWorker();
void engine.start();
void loadWords()
  .catch(() => undefined)
  .then(() => render(<App />, document.getElementById("app") as HTMLElement));
