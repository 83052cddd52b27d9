/**
 * What the demo camera sees: a box in a stable with a horse that eats, a window with the light of the hour, and the time as
 * cameras write it into the picture. A function of time alone, as SVG of 640 by 480 units.
 */

export type Scene = {
  /** What the clock in the picture shows. */
  readonly date: Date
  /** The name below it. */
  readonly label: string
}

/** @param size in pixels; what does not fit the shape of the scene is cut off */
export function drawScene({ date, label }: Scene, size: { width: number; height: number }): string {
  const t = date.getTime() / 1_000
  const light = daylight(date)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 640 480" preserveAspectRatio="xMidYMid slice">`,
    DEFINITIONS,
    wall(),
    window(light),
    floor(),
    hayNet(t),
    horse(t),
    manger(),
    gate(),
    // Night falls on everything but the writing.
    `<rect width="640" height="480" fill="#0a1024" opacity="${((1 - light) * 0.5).toFixed(2)}"/>`,
    `<ellipse cx="330" cy="20" rx="360" ry="330" fill="url(#lamp)" opacity="${(0.85 - light * 0.55).toFixed(2)}"/>`,
    // Below: what the page writes over the picture is above.
    writing(timeText(date), { x: 346, y: 442, size: 15 }),
    writing(label.toUpperCase(), { x: 18, y: 442, size: 15 }),
    '</svg>',
  ].join('')
}

/** What the figures are painted with. */
export const DEFINITIONS = `<defs>
<linearGradient id="plank" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#8f6a43"/><stop offset="1" stop-color="#6b4a2c"/></linearGradient>
<linearGradient id="straw" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#b08a3e"/><stop offset="1" stop-color="#d7b565"/></linearGradient>
<linearGradient id="coat" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#a5652f"/><stop offset=".55" stop-color="#8a4d22"/><stop offset="1" stop-color="#5d3216"/></linearGradient>
<linearGradient id="steel" x1="0" x2="1" y1="0" y2="0"><stop offset="0" stop-color="#7d8b8f"/><stop offset=".5" stop-color="#c3ced0"/><stop offset="1" stop-color="#6c797d"/></linearGradient>
<radialGradient id="lamp"><stop offset="0" stop-color="#ffdf9e" stop-opacity=".55"/><stop offset="1" stop-color="#ffdf9e" stop-opacity="0"/></radialGradient>
</defs>`

/** 0 in the night, 1 at noon, by the clock of the picture. */
function daylight(date: Date): number {
  const hour = date.getHours() + date.getMinutes() / 60
  return Math.max(0, Math.min(1, 1.6 * Math.sin(((hour - 6.5) / 13) * Math.PI)))
}

function wall(): string {
  const planks = Array.from({ length: 11 }, (_, i) => {
    const y = i * 32
    const knot = 40 + ((i * 197) % 560)
    return `<rect y="${y}" width="640" height="31" fill="url(#plank)"/><rect y="${y + 30}" width="640" height="2" fill="#3d2815"/>
<path d="M0 ${y + 9}q160 ${4 + (i % 3)} 320 0t320 2M0 ${y + 20}q200-6 420 1t220-3" stroke="#5a3c20" stroke-opacity=".5" fill="none"/>
<ellipse cx="${knot}" cy="${y + 16}" rx="6" ry="4" fill="#4c3119"/>`
  })
  return planks.join('')
}

function window(light: number): string {
  const sky = mix([18, 28, 58], [150, 200, 236], light)
  const field = mix([16, 26, 20], [118, 148, 74], light)
  return `<rect x="62" y="64" width="116" height="100" rx="4" fill="#3b2613"/><rect x="70" y="72" width="100" height="84" fill="${sky}"/>
<path d="M70 134q40-16 100-4v26h-100z" fill="${field}"/><path d="M118 72v84M70 114h100" stroke="#3b2613" stroke-width="5"/>`
}

function floor(): string {
  const stalks = Array.from({ length: 150 }, (_, i) => {
    const x = (i * 137.5) % 660
    const y = 372 + ((i * 71.3) % 106)
    const lean = ((i * 37) % 26) - 13
    return `M${x.toFixed(0)} ${y.toFixed(0)}l${lean} ${((i * 13) % 7) - 9}`
  })
  return `<rect y="352" width="640" height="128" fill="url(#straw)"/><rect y="346" width="640" height="8" fill="#3d2815"/>
<path d="${stalks.join('')}" stroke="#f0d68c" stroke-width="1.6"/><path d="${stalks.slice(30, 110).join('')}" transform="translate(9 7)" stroke="#8a6a2a" stroke-width="1.4"/>`
}

function hayNet(t: number): string {
  const sway = 2 * Math.sin(t * 0.9)
  return `<g transform="rotate(${sway.toFixed(2)} 262 40)"><path d="M262 0v44" stroke="#d8d2c0" stroke-width="3"/>
<path d="M262 40c-34 14-44 62-30 92 12 22 48 22 60 0 14-30 4-78-30-92z" fill="#8f9a45"/>
<path d="M240 62l46 60M232 92l34 50M284 62l-46 60M292 92l-34 50M262 40v108" stroke="#d8d2c0" stroke-width="1.6" fill="none"/></g>`
}

/** Eats for most of a minute, then looks up for a while. */
export function horse(t: number): string {
  const phase = t % 40
  const up =
    smooth(Math.min(1, Math.max(0, phase - 30) / 1.2)) * smooth(Math.min(1, Math.max(0, 39.5 - phase) / 1.2))
  const chew = 1.6 * Math.sin(t * 7) * (1 - up)
  const neck = -58 * up + chew * 0.5 + 1.2 * Math.sin(t * 0.8)
  const tail = 9 * Math.sin(t * 1.3) + 5 * Math.sin(t * 3.1)
  const ear = Math.sin(t * 1.7) > 0.92 ? -16 : 0
  const isBlinking = t % 6 < 0.18
  const breath = (1 + 0.006 * Math.sin(t * 1.6)).toFixed(4)
  return `<ellipse cx="315" cy="424" rx="158" ry="15" fill="#2c1c0a" opacity=".35"/>
<g fill="#4a2811"><path d="M236 300c-4 34 10 50 2 78l-6 40h20l8-42c10-26 14-44 14-70z"/><path d="M352 296l4 70-8 52h19l8-52 12-74z"/></g>
<g transform="rotate(${tail.toFixed(2)} 194 232)"><path d="M200 226c-28 6-40 42-36 84 2 26-6 44-2 64 14-6 26-30 28-62 2-34 4-58 16-70z" fill="#27160a"/></g>
<g transform="translate(300 260) scale(1 ${breath}) translate(-300 -260)">
<path d="M192 244c2-28 26-42 60-40 36 2 70 12 112 4 34-6 54 20 48 56-4 30-20 44-48 50-44 8-104 8-138-4-26-10-36-36-34-66z" fill="url(#coat)"/>
<path d="M214 300c40 16 110 18 156 6-40 20-120 22-156-6z" fill="#4a2811" opacity=".6"/><path d="M216 224c20-14 50-14 70-8" stroke="#c9854a" stroke-width="5" stroke-linecap="round" fill="none" opacity=".55"/></g>
<g fill="url(#coat)"><path d="M196 262c-4 40 22 56 14 92-4 16-8 34-10 62h22c4-28 10-44 16-62 8-30 18-44 22-74z"/><path d="M366 280c-2 36 6 58 2 86-2 18-2 32-4 50h21c2-20 4-34 8-52 4-30 14-52 16-92z"/></g>
<g fill="#1f140c"><path d="M199 408h24l2 14h-28z"/><path d="M363 408h23l3 14h-28z"/><path d="M230 410h22l2 12h-26z"/><path d="M347 410h21l2 12h-25z"/></g>
<g fill="#efe6d8"><path d="M201 384h24l-2 24h-23zM366 386h22l-2 22h-22z"/></g>
<g transform="rotate(${neck.toFixed(2)} 384 232)">
<path d="M348 214c30-14 60-16 84 2 20 16 34 38 44 62l-32 26c-14-20-26-30-44-30-14 0-26 6-40 12z" fill="url(#coat)"/>
<path d="M350 210c30-16 64-16 88 4 14 12 24 28 32 42l-10 6c-10-16-22-30-38-38-22-12-48-10-72-2z" fill="#27160a"/>
<g transform="rotate(${(chew * 0.7).toFixed(2)} 460 262)"><path d="M440 254c18-12 36-6 46 10 12 20 26 44 34 66 4 14-6 24-20 20-12-4-20-12-28-24-12-16-28-26-36-40-6-12-6-24 4-32z" fill="#8f5126"/>
<path d="M506 318c8 4 14 10 14 18 0 12-10 18-22 14-8-2-14-8-18-14 8-2 18-8 26-18z" fill="#4a2a17"/>
<path d="M472 254c10 12 24 36 32 58l-8 5c-10-20-20-42-28-58z" fill="#f2e9dc"/>
<circle cx="512" cy="336" r="3" fill="#120a05"/>${isBlinking ? '<path d="M462 274l8-2" stroke="#2a170b" stroke-width="2.5"/>' : '<ellipse cx="466" cy="273" rx="4.6" ry="4" fill="#120a05"/><circle cx="467.4" cy="271.6" r="1.3" fill="#fff"/>'}
<g transform="rotate(${ear} 452 248)"><path d="M444 254c-4-14 0-26 8-34 6 10 10 22 6 34z" fill="#7d4520"/><path d="M449 248c-1-8 1-14 3-18 3 6 4 12 3 18z" fill="#3b2010"/></g>
<path d="M450 252c10 2 18 8 24 18" stroke="#27160a" stroke-width="6" stroke-linecap="round" fill="none"/></g></g>`
}

function manger(): string {
  return `<path d="M520 96h78v120l-22 34h-34l-22-34z" fill="url(#steel)"/><rect x="514" y="86" width="90" height="14" rx="3" fill="#5f6c70"/>
<rect x="538" y="120" width="42" height="74" rx="5" fill="#24302f"/><rect x="541" y="142" width="36" height="49" rx="3" fill="#c9a24f"/><circle cx="559" cy="230" r="5" fill="#57d38c"/>
<path d="M470 330h150l-14 62h-122z" fill="#54606a"/><path d="M470 330h150l-4 16h-142z" fill="#6f7d88"/><path d="M478 332q66-16 134 0z" fill="#d3b15c"/>`
}

function gate(): string {
  return `<g fill="none" stroke="#30373b" stroke-width="9"><path d="M0 470h640"/></g><g stroke="#454f54" stroke-width="7"><path d="M8 380v100M632 380v100"/></g>`
}

/** Strokes of a 4 by 6 grid, so that no font is needed. */
const LETTERS: Readonly<Record<string, string>> = {
  0: 'M1 0h2l1 1v4l-1 1h-2l-1-1v-4z',
  1: 'M1 1l1-1v6M1 6h2',
  2: 'M0 1l1-1h2l1 1v1l-4 4h4',
  3: 'M0 0h4l-2 2.5h1l1 1v1.5l-1 1h-2l-1-1',
  4: 'M3 6v-6l-3 4h4',
  5: 'M4 0h-4v2.5h3l1 1v1.5l-1 1h-2l-1-1',
  6: 'M4 0h-2l-2 2v3l1 1h2l1-1v-1.5l-1-1h-3',
  7: 'M0 0h4l-2.5 6',
  8: 'M1 0h2l1 1v1l-1 1h-2l-1-1v-1zM1 3l-1 1v1l1 1h2l1-1v-1l-1-1',
  9: 'M4 3h-3l-1-1v-1l1-1h2l1 1v3l-2 2h-2',
  ':': 'M2 1.6v.8M2 4v.8',
  '-': 'M1 3h2',
  "'": 'M2 0v1.5',
  A: 'M0 6v-4l2-2 2 2v4M0 4h4',
  B: 'M0 0h3l1 1v1l-1 1h-3v-3v6h3l1-1v-1l-1-1',
  C: 'M4 1l-1-1h-2l-1 1v4l1 1h2l1-1',
  D: 'M0 0h3l1 1v4l-1 1h-3z',
  E: 'M4 0h-4v6h4M0 3h3',
  F: 'M4 0h-4v6M0 3h3',
  G: 'M4 1l-1-1h-2l-1 1v4l1 1h2l1-1v-2h-2',
  H: 'M0 0v6M4 0v6M0 3h4',
  I: 'M1 0h2M2 0v6M1 6h2',
  J: 'M4 0v5l-1 1h-2l-1-1',
  K: 'M0 0v6M4 0l-4 3 4 3',
  L: 'M0 0v6h4',
  M: 'M0 6v-6l2 2.5 2-2.5v6',
  N: 'M0 6v-6l4 6v-6',
  O: 'M1 0h2l1 1v4l-1 1h-2l-1-1v-4z',
  P: 'M0 6v-6h3l1 1v1l-1 1h-3',
  Q: 'M1 0h2l1 1v4l-1 1h-2l-1-1v-4zM3 5l1 1',
  R: 'M0 6v-6h3l1 1v1l-1 1h-3M2 3l2 3',
  S: 'M4 0h-3l-1 1v1l1 1h2l1 1v1l-1 1h-3',
  T: 'M0 0h4M2 0v6',
  U: 'M0 0v5l1 1h2l1-1v-5',
  V: 'M0 0l2 6 2-6',
  W: 'M0 0v6l2-2.5 2 2.5v-6',
  X: 'M0 0l4 6M4 0l-4 6',
  Y: 'M0 0l2 3 2-3M2 3v3',
  Z: 'M0 0h4l-4 6h4',
}

function writing(text: string, { x, y, size }: { x: number; y: number; size: number }): string {
  const unit = size / 6
  const glyphs = [...text].map((letter, i) => {
    const strokes = LETTERS[letter]
    return strokes === undefined ? '' : `<path transform="translate(${i * 6} 0)" d="${strokes}"/>`
  })
  const strokes = (colour: string, width: number) =>
    `<g transform="translate(${x} ${y}) scale(${unit})" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round">${glyphs.join('')}</g>`
  return strokes('#101418', 1.7) + strokes('#f4f7f5', 0.8)
}

/** As a camera writes it, to the tenth: so a person sees how old a picture is. */
function timeText(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

function smooth(x: number): number {
  return x * x * (3 - 2 * x)
}

function mix(from: readonly number[], to: readonly number[], part: number): string {
  const channels = from.map((one, i) => Math.round(one + ((to[i] ?? one) - one) * part))
  return `rgb(${channels.join(',')})`
}
