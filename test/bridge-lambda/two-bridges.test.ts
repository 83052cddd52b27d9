import { setTimeout as sleep } from 'node:timers/promises'
import { IoTClient } from '@aws-sdk/client-iot'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { createThingTypeWith, createThingWith } from '../../bridge-lambda/src/adapters/iot.ts'
import {
  getControlWith,
  getShadowWith,
  updateControlWith,
  updateShadowWith,
} from '../../bridge-lambda/src/adapters/iot-data.ts'
import { createBridge } from '../../bridge-lambda/src/bridge.ts'
import { startIotHttp } from '../fakes/iot-http.ts'

t.test(
  'createBridge: two bridges write the same things at the same time, over HTTP: the newest wins everywhere',
  async (t) => {
    const iot = await startIotHttp()
    t.teardown(iot.close)
    const client = {
      endpoint: iot.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    }
    const bridges = [1, 2].map(() => {
      const data = new IoTDataPlaneClient(client)
      const control = new IoTClient(client)
      t.teardown(() => [data.destroy(), control.destroy()])
      return createBridge(
        {
          getShadow: getShadowWith(data),
          updateShadow: updateShadowWith(data),
          getControl: getControlWith(data),
          updateControl: updateControlWith(data),
          createThing: createThingWith(control),
          createThingType: createThingTypeWith(control),
          sendToDlq: async ({ reason }) => Promise.reject(new Error(reason)),
          clock: {
            now: () => performance.now(),
            sleep,
            random: Math.random,
            signalIn: () => new AbortController().signal,
          },
          log: { debug() {}, warn() {} },
        },
        { concurrency: 8, cachedThings: 100, thingsPerSecond: 10_000, typesPerSecond: 1_000 },
      )
    })
    const things = ['bella', 'luna', 'milo', 'nala']
    const last = 60
    // Odd reports by way of one bridge, even ones by the other; each report has a key of its own beside the common one.
    const bodies = (odd: number) =>
      Array.from({ length: last / 2 }, (_, n) => {
        const seq = last - 2 * n - odd
        const records = things.map((thing) => ({
          thing,
          type: 'feeder',
          seq,
          at: seq,
          received: seq,
          state: { common: seq, [`k${seq % 7}`]: seq, [`k${(seq + 3) % 7}`]: null },
        }))
        return JSON.stringify({
          v: 1,
          gateway: odd ? 'a' : 'b',
          batch: '01JD0000000000000000000000',
          records,
        })
      })
    await Promise.all(
      bridges.map(async (bridge, odd) => {
        let queue = bodies(odd)
        for (let round = 0; queue.length > 0; round++) {
          if (round > 500) throw new Error('The queue does not run empty')
          const id = `${round}`
          const [body = '', ...rest] = queue
          queue = (await bridge([{ id, body }], 20_000)).length > 0 ? [...rest, body] : rest
        }
      }),
    )
    const expected: Record<string, number> = { common: last }
    for (let seq = 1; seq <= last; seq++) {
      expected[`k${seq % 7}`] = seq
      delete expected[`k${(seq + 3) % 7}`]
    }
    for (const thing of things) {
      const { link, ...state } = iot.shadows.reported(thing)!
      t.strictSame(state, expected)
      t.match(link, { seq: last, at: last, gateway: 'b' })
    }
    t.ok(iot.shadows.counts.conflicts > 0, `${iot.shadows.counts.conflicts} conflicts`)
  },
)
