/** The icons: strokes on a grid of 24, drawn for this product. */
const PATHS = {
  stable: 'M3 11 12 4l9 7M5 9.5V20h14V9.5M9 20v-6h6v6M9 14l6 6M15 14l-6 6',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15L6 16ZM10 21h4',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3.2 2.6 3.5 5.5',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
  feeder: 'M6 3h12v5l-3.5 4v4h-5v-4L6 8V3ZM12 19v2M8.5 19.5 8 21M15.5 19.5l.5 1.5',
  camera: 'M4 8h3l1.5-2.5h7L17 8h3v11H4V8ZM12 16.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5Z',
  calendar: 'M5 6h14v14H5V6ZM5 10.5h14M9 3.5V8M15 3.5V8',
  chart: 'M4 4v16h16M8 15l3.5-4.5 3 2.5L19 7',
  sliders:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  today: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7v5l3.5 2',
  battery: 'M3 8h15v8H3V8ZM20.5 11v2',
  signal: 'M5 19v-3M10 19v-7M15 19V9M20 19V5',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  check: 'M5 12.5 10 17.5 19.5 7',
  cross: 'M6 6l12 12M18 6 6 18',
  left: 'M14.5 5.5 8 12l6.5 6.5',
  right: 'M9.5 5.5 16 12l-6.5 6.5',
  down: 'M5.5 9 12 15.5 18.5 9',
  warning: 'M12 4 2.5 20h19L12 4ZM12 10v4.5M12 17.2v.3',
  info: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 11v5M12 7.7v.3',
  bin: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  share:
    'M16 8.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM6.5 14.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM16 21a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 16 21ZM13.7 7.2 8.8 10.5M8.8 13.5l4.9 3.3',
  device: 'M7 3.5h10v17H7v-17ZM10.5 17.5h3M10 7h4',
  hops: 'M4.5 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM19.5 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM7 12h2.5M14.5 12H17',
  building: 'M4 20V9l8-5 8 5v11H4ZM9 20v-5h6v5M9 11h.01M15 11h.01M12 11h.01',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  leave: 'M14 4H5v16h9M10 12h10M16.5 8l4 4-4 4',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7v5l3.5 2',
  hand: 'M8 12V6a1.5 1.5 0 0 1 3 0v5V4.5a1.5 1.5 0 0 1 3 0V11 6a1.5 1.5 0 0 1 3 0v8c0 4-2.5 6.5-6 6.5-3 0-4.5-1.5-6-4L3.5 13a1.5 1.5 0 0 1 2.5-1.5L8 14v-2Z',
  scale: 'M5 20h14l-1.5-10h-11L5 20ZM12 10V7M8 7h8M12 4v3M12 13.5l2 3',
  refresh: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5',
  play: 'M8 5.5v13l10.5-6.5L8 5.5Z',
  stop: 'M7 7h10v10H7z',
  picture: 'M4 5h16v14H4V5ZM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.5h.01',
  key: 'M8.5 15.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12.5 11.5H21M18 11.5V15M15 11.5V14',
} as const

export type IconName = keyof typeof PATHS

/** Decorative: what it means stands beside it, or in the name of the button around it. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The sign of Pesebre: a horse that looks over the door of its box, in the arch of the stable. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true">
      <path
        fill="#7a4322"
        d="M32 2C15.4 2 4 14.2 4 30v24a8 8 0 0 0 8 8h40a8 8 0 0 0 8-8V30C60 14.2 48.6 2 32 2Z"
      />
      <path
        fill="#f3dcb4"
        d="M27.5 9.5c1.8 2.2 3.5 4.3 4.6 6.6 6.8.9 12.7 4.7 15.8 11.1 2.2 4.6 2.9 10.4 2.6 17.8H31.7c.5-4.2-.6-7.3-3.4-9.3-1.6 1.8-4 2.7-6.6 3.3-1.7 1.9-3.7 3.6-6 3.7-2.6.1-4.4-1.6-4.5-4-.1-2.1.9-3.9 2-6.1 1.9-3.7 3.6-7.1 5.3-9.8 1.6-2.6 3.9-4.5 6.2-5.8.4-2.6 1.3-5.2 2.8-7.5Z"
      />
      <path fill="#7a4322" d="M25.3 24.9a1.9 1.9 0 1 1 0 3.8 1.9 1.9 0 0 1 0-3.8Z" />
      <path fill="#d9a14e" d="M4 45h56v9a8 8 0 0 1-8 8H12a8 8 0 0 1-8-8v-9Z" />
      <path fill="none" stroke="#7a4322" stroke-width="2.6" stroke-linecap="round" d="M12 53.5h40" />
    </svg>
  )
}
