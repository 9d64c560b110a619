/** The screens behind Today, in one piece that is loaded right after the first screen stands (and is kept offline). */

import "../i18n/behind.ts";

export { Decide } from "./decide.tsx";
export { Fill } from "./form/fill.tsx";
export { Inspect } from "./inspect.tsx";
export { Me } from "./me.tsx";
export { ReportScreen } from "./report.tsx";
export { SyncCentre } from "./sync.tsx";
