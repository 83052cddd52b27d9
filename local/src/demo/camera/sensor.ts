import { LADDER } from '@pesebre/contract/ladder'
import sharp from 'sharp'
import { drawScene } from './scene.ts'

/** JPEG quality of each level: so that pictures are about as large as the ladder says. */
const QUALITY = [24, 22, 22, 46, 52, 44] as const

sharp.cache(false)
// One core is enough for a picture, and the rest of the stack wants the other.
sharp.concurrency(1)

/** What the camera sees at this moment, as a JPEG of one level of the ladder. */
export function takePicture(o: { level: number; label: string; date: Date }): Promise<Buffer> {
  const { width, height } = LADDER[o.level]!
  const svg = drawScene({ date: o.date, label: o.label }, { width, height })
  return sharp(Buffer.from(svg)).jpeg({ quality: QUALITY[o.level]!, chromaSubsampling: '4:2:0' }).toBuffer()
}
