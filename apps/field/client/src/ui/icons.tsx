/** The few signs the app uses, drawn on a grid of 24 with a stroke of 2: legible at arm's length, never alone without words. */

const PATHS = {
  today: "M3 12l9-8 9 8M6 10v10h12V10",
  inspect: "M9 4h6v3H9zM7 5H5v16h14V5h-2M8.5 14l2.5 2.5 5-5",
  sync: "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c.5-4 4-6 8-6s7.5 2 8 6",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  check: "M5 12.5l4.5 4.5L19 7",
  cross: "M6 6l12 12M18 6L6 18",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7",
  gallery: "M4 5h16v14H4zM4 16l5-5 4 4 3-2.5 4 4M15.5 9.5h.01",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  warn: "M12 4l9 16H3zM12 10v4.5M12 17.5h.01",
  seal: "M12 3l2.6 1.9 3.2.1.9 3.1 2.5 2-1.1 3 1.1 3-2.5 2-.9 3.1-3.2.1L12 23.2l-2.6-1.9-3.2-.1-.9-3.1-2.5-2 1.1-3-1.1-3 2.5-2 .9-3.1 3.2-.1zM8.5 13l2.5 2.5 4.5-5",
  note: "M5 4h14v12l-4 4H5zM15 20v-4h4M8.5 9h7M8.5 13h4",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.7h.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5l3.5 2",
  cloud: "M7 19h10a4.5 4.5 0 0 0 .5-9A6 6 0 0 0 6 9.5 4.8 4.8 0 0 0 7 19",
  cloud_check: "M7 19h10a4.5 4.5 0 0 0 .5-9A6 6 0 0 0 6 9.5 4.8 4.8 0 0 0 7 19M9 14l2.3 2.3 4-4",
  cloud_off: "M4 4l16 16M8 6.5A6 6 0 0 1 17.5 10a4.5 4.5 0 0 1 2.8 7.3M6 9.5A4.8 4.8 0 0 0 7 19h10",
  send: "M4 12l16-7-6 16-3-6.5zM11 14.5L20 5",
  phone: "M8 3h8v18H8zM11 18h2",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  pen: "M5 19l1-4L16 5l3 3L9 18z",
  returned: "M9 6L4 11l5 5M4 11h10a6 6 0 0 1 6 6v2",
  minus: "M5 12h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 24 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the house: a lighthouse, whose beam is lit when everything has reached the server. */
export function Lighthouse({ lit }: { lit: "all" | "some" | "none" }) {
  return (
    <svg class={`lighthouse ${lit}`} viewBox="0 0 120 72" aria-hidden="true" focusable="false">
      <path class="beam far" d="M27 19L120 0v46L27 23z" />
      <path class="beam near" d="M27 19l52-8v23l-52-11z" />
      <path class="lamp" d="M15 16h12v10H15z" />
      <path class="tower" d="M13 15l8-8 8 8zM14.5 26h13l1 4h-15zM15 31h12l3 35H12z" />
      <path class="band" d="M14.2 40h13.6l.8 9H13.4z" />
      <path class="rock" d="M0 72c3-6 9-8 15-7 5-3 12-2 15 1 8-1 12 2 15 6z" />
    </svg>
  );
}
