/**
 * Pictures of the demo horses, so that the cards have faces: the horse of the demo camera's scene on a meadow, in the coat of
 * each. Drawn here: no picture of anybody's.
 */
import sharp from 'sharp'
import { DEFINITIONS, horse } from './camera/scene.ts'

const SIZE = { width: 1280, height: 960 }
/** A moment of the scene in which the horse looks up. */
const LOOKS_UP_S = 30.75
const JPEG_QUALITY = 88

/** Colours of the figure, and what they are for each coat. */
const BAY = ['#a5652f', '#8a4d22', '#5d3216', '#4a2811', '#27160a', '#8f5126', '#c9854a', '#7d4520'] as const
const COATS: Readonly<Record<string, readonly string[]>> = {
  bay: BAY,
  grey: ['#d9dadb', '#b9bcc0', '#85898f', '#6d7178', '#5a5e66', '#c4c7cb', '#f1f2f3', '#a4a8ae'],
  chestnut: ['#c8763a', '#b25f27', '#83431b', '#6d3514', '#d9a45f', '#bd6a2f', '#e2a066', '#9c5423'],
}
const SKIES = {
  bay: ['#bfe0f2', '#f6e7c8'],
  grey: ['#f3c9a5', '#fbeeda'],
  chestnut: ['#a9d3ea', '#e9f3ee'],
} as const

export type Coat = keyof typeof SKIES

/** A JPEG of a horse on a meadow. */
export async function drawPortrait(coat: Coat): Promise<Buffer> {
  return sharp(Buffer.from(portrait(coat)))
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer()
}

function portrait(coat: Coat): string {
  const [high, low] = SKIES[coat]
  const figure = paint(`${DEFINITIONS}${horse(LOOKS_UP_S)}`, COATS[coat]!)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}" viewBox="120 90 460 345" preserveAspectRatio="xMidYMid slice">
<defs><linearGradient id="sky" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="${high}"/><stop offset="1" stop-color="${low}"/></linearGradient>
<linearGradient id="meadow" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#9dbb5f"/><stop offset="1" stop-color="#6f9444"/></linearGradient></defs>
<rect x="0" y="0" width="700" height="480" fill="url(#sky)"/>
<circle cx="205" cy="140" r="24" fill="#fff6dc" opacity=".9"/>
<path d="M0 300q90-70 190-42t170-26 150 14 190-24v200H0z" fill="#8fae9a"/>
<path d="M0 330q120-46 240-22t220-14 240 10v180H0z" fill="#7ea06a"/>
<path d="M0 350q160-26 330-10t370-12v160H0z" fill="url(#meadow)"/>
<g stroke="#e9dfc9" stroke-width="6" opacity=".9"><path d="M0 322h700M0 344h700"/><path d="M150 306v58M300 306v58M450 306v58M565 306v58" stroke-width="8"/></g>
${figure}
<g stroke="#587a36" stroke-width="2.2" stroke-linecap="round" opacity=".8">${grass()}</g></svg>`
}

/** The figure's colours by another coat's; marks, hoofs and eyes stay. */
function paint(figure: string, coat: readonly string[]): string {
  return BAY.reduce((text, from, index) => text.replaceAll(from, coat[index]!), figure)
}

function grass(): string {
  return Array.from({ length: 120 }, (_, n) => {
    const x = 120 + ((n * 97) % 465)
    const y = 412 + ((n * 53) % 26)
    return `<path d="M${x} ${y}q${(n % 5) - 2} -7 ${(n % 7) - 3} -12"/>`
  }).join('')
}
