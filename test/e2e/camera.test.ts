/**
 * The camera's whole way, with nothing in between that is not what runs: web server, AWS IoT's stand-in with mutual TLS, and
 * the demo camera as a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HorseCard } from '@pesebre/contract/api/horse'
import { decodeFrame, FrameError } from '@pesebre/contract/frame'
import t from 'tap'
import { WebSocket } from 'ws'
import { DEMO_PASSWORD, demoEmail } from '../../local/src/demo/seed.ts'
import { PROCESSES } from '../../local/src/supervisor/processes.ts'
import { startStack } from '../../local/src/supervisor/stack.ts'
import { until } from '../web/server/camera/support.ts'

t.setTimeout(120_000)

/** Without what a camera does not need. */
const processes = PROCESSES.filter(({ name }) => ['aws', 'iot', 'web', 'camera'].includes(name)).map(
  (spec) => ({
    ...spec,
    needs: spec.needs.filter((name) => name !== 'pages'),
  }),
)

t.test('from a sign-in to live pictures, through a power cut of the camera', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'pesebre-camera-'))
  const stack = await startStack({ home, ports: 'free', processes, restartMs: 100 })
  t.teardown(async () => {
    await stack.stop()
    rmSync(home, { recursive: true, force: true })
  })
  const origin = `http://localhost:${stack.ports.web}`
  const signedIn = await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ email: demoEmail('vet'), password: DEMO_PASSWORD }),
  })
  t.equal(signedIn.status, 200)
  const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!
  const read = (path: string) => fetch(`${origin}/api${path}`, { headers: { cookie } })
  const [stable] = (await (await read('/stables')).json()) as { id: string }[]
  const cards = (await (await read(`/stables/${stable!.id}/horses`)).json()) as HorseCard[]
  const card = cards.find(({ camera }) => camera !== null)!
  const { id } = card.horse

  const snapshot = await read(`/horses/${id}/snapshot`)
  t.equal(snapshot.status, 200)
  t.equal(snapshot.headers.get('content-type'), 'image/jpeg')
  const jpeg = new Uint8Array(await snapshot.arrayBuffer())
  t.same([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff])

  const states: string[] = []
  const seqs: number[] = []
  const viewer = new WebSocket(`${origin.replace('http', 'ws')}/relay/v1/view/${id}`, {
    headers: { cookie, origin },
  })
  viewer.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      const { camera } = JSON.parse(data.toString())
      if (camera !== undefined) states.push(camera)
      return
    }
    const frame = decodeFrame(data)
    if (frame instanceof FrameError) throw frame
    seqs.push(frame.seq)
    viewer.send(JSON.stringify({ ack: frame.seq }))
  })
  await until(() => seqs.length >= 10)
  t.same(states, ['starting', 'streaming'])

  process.kill(stack.pid('camera')!, 'SIGKILL')
  await until(() => states.length > 2)
  t.equal(states[2], 'starting', 'who watches is told')
  const before = seqs.length
  await until(() => seqs.length >= before + 10)
  t.equal(states.at(-1), 'streaming')
  viewer.close()
})
