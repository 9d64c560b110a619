/** The engine alone on a page, for `tests/field/test_engine_*.py`: a real Chromium drives it against the real server. */

import { PhoneEngine } from "../engine/engine.ts";

declare global {
  interface Window {
    phone: PhoneEngine;
  }
}

window.phone = new PhoneEngine();
await window.phone.start();
document.body.dataset.ready = "yes";
