import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { type AdminSettings, listenAdmin } from '../../../gateway/src/adapters/http-admin.ts'

async function admin(t: Test, different: Partial<AdminSettings> = {}) {
  const faults: unknown[] = []
  const { port, close } = await listenAdmin({
    host: '127.0.0.1',
    port: 0,
    notReady: () => [],
    facts: () => ({ gateway: 'a' }),
    metrics: async () => ({ text: 'm 1\n', contentType: 'text/plain; version=0.0.4' }),
    onFault: (error) => faults.push(error),
    ...different,
  })
  t.teardown(close)
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method })
  return { get, port, close, faults }
}

t.test('listenAdmin() answers each of its paths', async (t) => {
  const { get } = await admin(t)
  const cases: [path: string, status: number, type: string, body: string][] = [
    ['/healthz', 200, 'application/json', '{"alive":true}\n'],
    ['/readyz', 200, 'application/json', '{"ready":true,"reasons":[],"gateway":"a"}\n'],
    ['/readyz?verbose', 200, 'application/json', '{"ready":true,"reasons":[],"gateway":"a"}\n'],
    ['/metrics', 200, 'text/plain; version=0.0.4', 'm 1\n'],
    ['/', 404, 'application/json', '{"error":"Not found","paths":["/healthz","/readyz","/metrics"]}\n'],
    [
      '/metrics/',
      404,
      'application/json',
      '{"error":"Not found","paths":["/healthz","/readyz","/metrics"]}\n',
    ],
  ]
  for (const [path, status, type, body] of cases) {
    const response = await get(path)
    t.strictSame(
      [response.status, response.headers.get('content-type'), await response.text()],
      [status, type, body],
      path,
    )
    t.equal(response.headers.get('cache-control'), 'no-store')
  }
})

t.test('listenAdmin() says 503 with every reason while the gateway is not ready', async (t) => {
  const reasons = ['journal: cannot write to its disk', 'queue: the oldest report has waited for 130 s']
  const { get } = await admin(t, { notReady: () => reasons })
  const response = await get('/readyz')
  t.equal(response.status, 503)
  t.strictSame(await response.json(), { ready: false, reasons, gateway: 'a' })
  t.equal((await get('/healthz')).status, 200, 'it is alive all the same')
})

t.test('listenAdmin() takes GET and HEAD only', async (t) => {
  const { get } = await admin(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    t.equal((await get('/healthz', method)).status, 405, method)
  const head = await get('/metrics', 'HEAD')
  t.strictSame([head.status, await head.text()], [200, ''])
})

t.test('listenAdmin() says 500 and nothing of the reason for a fault, and tells of it', async (t) => {
  const { get, faults } = await admin(t, { metrics: () => Promise.reject(new Error('secret')) })
  const response = await get('/metrics')
  t.strictSame([response.status, await response.text()], [500, ''])
  t.strictSame(faults, [new Error('secret')])
  const thrown = await admin(t, { notReady: () => JSON.parse('{') as string[] })
  t.equal((await thrown.get('/readyz')).status, 500)
  t.equal((await thrown.get('/healthz')).status, 200)
})

t.test('listenAdmin() survives what is no HTTP', async (t) => {
  const { get, port } = await admin(t)
  for (const bytes of [
    '\0\x01\x02\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
    })
  }
  t.equal((await get('/healthz')).status, 200)
})

t.test('listenAdmin() closes at once, also while somebody keeps a connection', async (t) => {
  const { get, close } = await admin(t)
  await get('/healthz')
  await close()
  await t.rejects(get('/healthz'))
})

t.test('listenAdmin() rejects when the port is taken', async (t) => {
  const { port } = await admin(t)
  await t.rejects(admin(t, { port }), /PESEBRE_ADMIN_PORT.*already in use/)
})
