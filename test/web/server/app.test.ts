import t from 'tap'
import { openWebApp } from '../../fakes/web-app.ts'

t.test('createApp', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())

  t.test('makes an OpenAPI 3.1 document out of the schemas', async (t) => {
    const { status, json } = await web.ask('nobody', 'GET /api/openapi.json')
    t.equal(status, 200)
    t.match(json, { openapi: '3.1.0', paths: { '/api/session': { post: { requestBody: {} } } } })
  })

  t.test('answers what it does not know as a problem', async (t) => {
    const { status, json, headers } = await web.ask('owner', 'GET /api/nothing')
    t.equal(status, 404)
    t.match(json, { type: '/problems/not-found', status: 404 })
    t.match(headers['content-type'], /^application\/problem\+json/)
  })

  t.test('names the wrong fields of a body, and takes no text for a number', async (t) => {
    const { status, json } = await web.ask('owner', `POST /api/stables/${web.stable}/horses`, {
      body: { name: 'Sol', weightKg: '500', colour: 'bay' },
    })
    t.equal(status, 400)
    t.match(json, { type: '/problems/invalid' })
    t.ok(json.errors.some(({ path }: { path: string }) => path.includes('weightKg')))
  })

  t.test('refuses to start with a route that says nothing of access', (t) => {
    t.throws(() => web.app.get('/api/open', () => 'open'))
    t.end()
  })

  t.test('shows cards of horses', async (t) => {
    const { status, json } = await web.ask('vet', `GET /api/stables/${web.stable}/horses`)
    t.equal(status, 200)
    t.match(json, [
      { horse: { name: 'Bella', feeder: web.feeder, camera: web.camera }, lastMeal: null, alarms: [] },
    ])
  })
})
