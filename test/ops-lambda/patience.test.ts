import t from 'tap'
import { whileDenied } from '../../ops-lambda/src/setup/patience.ts'

const denied = () => Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' })
const forbidden = () => Object.assign(new Error('Forbidden'), { $metadata: { httpStatusCode: 403 } })

/** Time that passes only while somebody sleeps. */
function clock() {
  let time = 0
  return {
    now: () => time,
    sleep: async (ms: number) => {
      time += ms
    },
  }
}

t.test('whileDenied() waits until a new role is known everywhere', async (t) => {
  const errors = [denied(), forbidden(), denied()]
  const time = clock()
  const work = async () => {
    const error = errors.shift()
    if (error !== undefined) throw error
    return 'made'
  }
  t.equal(await whileDenied(work, time), 'made')
  t.equal(time.now(), 6_000)
})

t.test('whileDenied() gives up after 40 seconds, and at once what is no denial', async (t) => {
  const time = clock()
  await t.rejects(
    whileDenied(() => Promise.reject(denied()), time),
    { message: 'not authorized' },
  )
  t.equal(time.now(), 40_000)
  await t.rejects(
    whileDenied(() => Promise.reject(new Error('throttled')), time),
    { message: 'throttled' },
  )
  t.equal(time.now(), 40_000)
})
