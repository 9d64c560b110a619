/** What the build puts into the source. */

declare const __APP_VERSION__: string;
