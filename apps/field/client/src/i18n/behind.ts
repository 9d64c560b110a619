/** Makes the words of the screens behind Today known; every piece that shows such screens imports this first. */

import { learn } from "./index.ts";
import { behind } from "./vi-behind.ts";

learn(behind);
