import { LADDER } from '@pesebre/contract/ladder'
import t from 'tap'
import { drawScene } from '../../../../local/src/demo/camera/scene.ts'
import { takePicture } from '../../../../local/src/demo/camera/sensor.ts'

const date = new Date(2026, 10, 20, 13, 5, 7)

t.test('drawScene: a function of time, that moves', async (t) => {
  const size = { width: 320, height: 240 }
  const draw = (ms: number) => drawScene({ date: new Date(date.getTime() + ms), label: 'Bella' }, size)
  t.equal(draw(0), draw(0))
  t.not(draw(0), draw(200), 'the horse moves within a second')
  t.match(draw(0), /^<svg .*width="320" height="240"/)
})

t.test('drawScene: a label with characters of a program is only a label', async (t) => {
  const svg = drawScene({ date, label: '<script>&"' }, { width: 160, height: 120 })
  t.notMatch(svg, '<script')
})

t.test('takePicture: a JPEG of every level, about as large as the ladder says', async (t) => {
  for (const [level, { bytes }] of LADDER.entries()) {
    const jpeg = await takePicture({ level, label: 'Bella', date })
    t.same([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff])
    t.ok(jpeg.length > bytes / 2 && jpeg.length < bytes * 2, `level ${level}: ${jpeg.length} of ${bytes}`)
  }
})
