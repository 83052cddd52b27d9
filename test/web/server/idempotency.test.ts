import fastify from 'fastify'
import t from 'tap'
import { guardRoutes } from '../../../web/server/src/access.ts'
import { idempotent } from '../../../web/server/src/idempotency.ts'
import { answerError, Problem } from '../../../web/server/src/problems.ts'
import { ORIGIN, openWebApp } from '../../fakes/web-app.ts'

/** An app whose one route counts how often it took effect. */
async function open(effect: (count: number) => Promise<unknown> = async (count) => ({ count })) {
  const web = await openWebApp()
  const app = fastify()
  app.setErrorHandler(answerError)
  const deps = { db: web.db, now: () => web.clock.now, log: app.log, origin: ORIGIN }
  guardRoutes(app, deps)
  let count = 0
  app.post('/feeds', { config: { access: 'self' }, ...idempotent(deps) }, async (_request, reply) =>
    reply.code(202).send(await effect(++count)),
  )
  async function post(who: 'owner' | 'groom', key: string | undefined, payload: object = { grams: 500 }) {
    const headers = {
      ...web.headers(who),
      origin: ORIGIN,
      ...(key !== undefined && { 'idempotency-key': key }),
    }
    const answer = await app.inject({ method: 'POST', url: '/feeds', headers, payload })
    return { status: answer.statusCode, json: answer.json(), replay: answer.headers['idempotent-replay'] }
  }
  return {
    web,
    post,
    count: () => count,
    async close() {
      await app.close()
      await web.close()
    },
  }
}

t.test('the same key takes effect once and gets the same answer', async (t) => {
  const one = await open()
  t.after(() => one.close())
  t.strictSame(await one.post('owner', 'key-00000001'), {
    status: 202,
    json: { count: 1 },
    replay: undefined,
  })
  t.strictSame(await one.post('owner', 'key-00000001'), { status: 202, json: { count: 1 }, replay: 'true' })
  t.equal((await one.post('owner', 'key-00000002')).json.count, 2)
  t.equal((await one.post('groom', 'key-00000001')).json.count, 3, 'keys are each user’s own')
})

t.test('the same key for something else, and no key, are refused', async (t) => {
  const one = await open()
  t.after(() => one.close())
  await one.post('owner', 'key-00000001')
  const { status, json } = await one.post('owner', 'key-00000001', { grams: 600 })
  t.equal(status, 422)
  t.equal(json.type, '/problems/key-reused')
  for (const key of [undefined, 'short', 'x'.repeat(129), 'with space'])
    t.equal((await one.post('owner', key)).status, 400)
  t.equal(one.count(), 1)
})

t.test('a repeat that comes while the first runs is told so, and takes no effect', async (t) => {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const one = await open(async (count) => {
    begun.resolve()
    await gate.promise
    return { count }
  })
  t.after(() => one.close())
  const first = one.post('owner', 'key-00000001')
  await begun.promise
  const second = await one.post('owner', 'key-00000001')
  t.equal(second.status, 409)
  gate.resolve()
  t.equal((await first).status, 202)
  t.equal((await one.post('owner', 'key-00000001')).json.count, 1)
})

t.test('a refusal is kept, a fault is not; an old key is forgotten', async (t) => {
  let fault: Error | undefined = new Error('broken')
  const one = await open(async (count) => {
    if (fault) throw fault
    return { count }
  })
  t.after(() => one.close())
  t.equal((await one.post('owner', 'key-00000001')).status, 500)
  fault = new Problem('refused', { reason: 'gap' })
  t.equal((await one.post('owner', 'key-00000001')).status, 422)
  fault = undefined
  const kept = await one.post('owner', 'key-00000001')
  t.match(kept, { status: 422, json: { reason: 'gap' }, replay: 'true' })
  one.web.clock.now += 86_400_000
  t.equal((await one.post('owner', 'key-00000001')).status, 202)
})

t.test('a request that died with its server may be sent again after a minute', async (t) => {
  const one = await open()
  t.after(() => one.close())
  await one.post('owner', 'key-00000001')
  await one.web.db.sql.updateTable('idempotency').set({ status: 0 }).execute()
  t.equal((await one.post('owner', 'key-00000001')).status, 409)
  one.web.clock.now += 60_000
  t.equal((await one.post('owner', 'key-00000001')).json.count, 2)
})
