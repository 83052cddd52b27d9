import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { type App, createApp } from '../../../web/server/src/app.ts'
import { ORIGIN, openWebApp, type Who } from '../../fakes/web-app.ts'

t.setTimeout(60_000)

t.test('the OpenAPI 3.1 document comes from the schemas that validate', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const { status, json } = await web.ask('nobody', 'GET /api/openapi.json')
  t.equal(status, 200)
  t.equal(json.openapi, '3.1.0')
  const body = json.paths['/api/session'].post.requestBody.content['application/json'].schema
  t.strictSame(Object.keys(body.properties), ['email', 'password'])
  t.strictSame(json.paths['/api/session'].post.security, [], 'nobody is signed in yet')
  const { get } = json.paths['/api/horses/{horse}']
  t.match(get, { tags: ['horses'], description: 'For owner, groom, vet of the stable, and admins' })
  t.ok(get.responses.default.content['application/problem+json'].schema)
  const paths = Object.keys(json.paths)
  for (const { url } of web.app.accessTable.filter(
    ({ url }) => url.startsWith('/api/') && url !== '/api/openapi.json',
  ))
    t.ok(paths.includes(url.replace(/:(\w+)/g, '{$1}')), url)
})

t.test('what is not known, not read or not right is a problem of RFC 9457', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const path = `/api/stables/${web.stable}/horses`
  const wrong = await web.ask('owner', `POST ${path}`, {
    body: { name: 'Sol', weightKg: '500', colour: 'bay' },
  })
  t.equal(wrong.status, 400, 'a text is no number, and nothing undocumented is let through')
  t.equal(wrong.json.type, '/problems/invalid')
  t.ok(wrong.json.errors.some(({ path }: { path: string }) => path === '/weightKg'))

  const unknown = await web.ask('owner', 'GET /api/nothing')
  t.equal(unknown.status, 404)
  t.match(unknown.json, { type: '/problems/not-found', title: String, status: 404 })
  t.match(unknown.headers['content-type'], /^application\/problem\+json/)

  const headers = { ...web.headers('owner'), origin: ORIGIN, 'content-type': 'application/json' }
  const post = (payload: string) => web.app.inject({ method: 'POST', url: path, headers, payload })
  for (const payload of [
    '{"name":',
    '[]',
    '"Sol"',
    'null',
    '{"__proto__":{"x":1},"name":"Sol"}',
    '1e400',
    '',
  ])
    t.equal((await post(payload)).statusCode, 400, payload)
  t.equal((await post(`{"name":${'['.repeat(20_000)}`)).statusCode, 400, 'deep nesting')
  t.equal((await post(`{"notes":"${'x'.repeat(70_000)}"}`)).statusCode, 413, 'too large')
})

t.test('answers are not kept by anybody, and browsers are told what pages may do', async (t) => {
  const web = await openWebApp({ pictureOrigins: ['https://pictures.example'] })
  t.after(() => web.close())
  const { headers } = await web.ask('owner', 'GET /api/me')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers['x-content-type-options'], 'nosniff')
  const policy = String(headers['content-security-policy'])
  t.match(policy, "default-src 'none'")
  t.match(policy, /(^|;)script-src 'self'(;|$)/)
  t.match(policy, /(^|;)style-src 'self'(;|$)/)
  t.match(policy, "img-src 'self' blob: data: https://pictures.example")
  t.match(policy, "connect-src 'self' ws://localhost:8080 https://pictures.example")
  t.match(policy, "frame-ancestors 'none'")
  t.notMatch(policy, /unsafe/)
  t.notOk(headers['strict-transport-security'], 'over http it would be wrong')
})

t.test(
  'pages come from the built app, every address of theirs is its index, and nothing else is read',
  async (t) => {
    const dir = t.testdir({
      'secret.txt': 'outside',
      dist: {
        'index.html': '<!doctype html><title>app</title>',
        'manifest.webmanifest': '{}',
        '.env': 'hidden',
        assets: { 'main-4f2a.js': 'export {}' },
      },
    })
    const web = await openWebApp({ appDir: `${dir}/dist` })
    t.after(() => web.close())
    for (const path of ['/', '/stables/x', '/setup', '/horses/hrs_x/history']) {
      const { status, text, headers } = await web.ask('nobody', `GET ${path}`)
      t.equal(status, 200)
      t.match(text, '<title>app</title>')
      t.equal(headers['cache-control'], 'no-cache')
      t.match(headers['content-security-policy'], /default-src 'none'/)
    }
    const script = await web.ask('nobody', 'GET /assets/main-4f2a.js')
    t.match(script.headers, { 'cache-control': /max-age=31536000, immutable/, 'content-type': /javascript/ })
    t.equal((await web.ask('nobody', 'GET /assets/gone.js')).status, 404, 'no page in place of a script')
    for (const path of ['/api/nothing', '/api', '/relay/v1/nothing'])
      t.equal((await web.ask('nobody', `GET ${path}`)).status, 404)
    for (const path of [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/%2e%2e%2fsecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/assets/%00/../../secret.txt',
      '/%252e%252e%252fsecret.txt',
      `/${dir}/secret.txt`,
      '//secret.txt',
      '/.env',
    ]) {
      const { status, text } = await web.ask('nobody', `GET ${path}`)
      t.notMatch(text, /outside|hidden/, path)
      t.ok(status >= 400 || text.includes('<title>app</title>'), path)
    }
  },
)

t.test('files go out compressed, in a form that the browser knows', async (t) => {
  const dir = t.testdir({
    'index.html': '<!doctype html>',
    assets: { 'main-4f2a.js': 'plain', 'main-4f2a.js.br': 'brotli', 'main-4f2a.js.gz': 'gzip' },
  })
  const web = await openWebApp({ appDir: dir })
  t.after(() => web.close())
  for (const [accepted, sent] of [
    ['gzip, deflate, br', 'brotli'],
    ['gzip', 'gzip'],
    ['identity', 'plain'],
  ]) {
    const headers = { 'accept-encoding': accepted! }
    const answer = await web.ask('nobody', 'GET /assets/main-4f2a.js', { headers })
    t.equal(answer.text, sent)
    t.match(answer.headers, {
      'content-type': /javascript/,
      'cache-control': /immutable/,
      vary: /accept-encoding/,
    })
  }
})

t.test(
  'a page is told what it is going to read: what its person may see, and nothing to anybody else',
  async (t) => {
    const web = await openWebApp({ appDir: t.testdir({ 'index.html': '<!doctype html>' }) })
    t.after(() => web.close())
    const told = async (who: Who, path: string) =>
      [...String((await web.ask(who, `GET ${path}`)).headers['link'] ?? '').matchAll(/<([^>]+)>/g)].map(
        ([, url]) => url,
      )
    const horses = `/api/stables/${web.stable}/horses`
    t.same(await told('owner', '/'), ['/api/session', horses])
    t.same(await told('vet', `/stables/${web.stable}`), ['/api/session', horses])
    t.same(await told('stranger', `/stables/${web.stable}`), ['/api/session'])
    t.same(await told('admin', '/'), ['/api/session'])
    t.same(await told('owner', '/account'), ['/api/session'])
    t.same(await told('nobody', '/'), [])
  },
)

t.test('an address that asks too often waits', async (t) => {
  const web = await openWebApp({ limits: { ratePerMinute: 3 } })
  t.after(() => web.close())
  for (let n = 0; n < 3; n++) t.equal((await web.ask('owner', 'GET /api/me')).status, 200)
  const { status, json, headers } = await web.ask('owner', 'GET /api/me')
  t.equal(status, 429)
  t.equal(json.type, '/problems/too-many-requests')
  t.ok(Number(headers['retry-after']) > 0)
})

t.test('X-Forwarded-For is believed from our proxies only', async (t) => {
  for (const [trustProxy, limited] of [
    [undefined, 429],
    [['127.0.0.1'], 200],
  ] as const) {
    const web = await openWebApp({ limits: { ratePerMinute: 1 }, ...(trustProxy && { trustProxy }) })
    await web.ask('owner', 'GET /api/me', { headers: { 'x-forwarded-for': '192.0.2.1' } })
    const second = await web.ask('owner', 'GET /api/me', { headers: { 'x-forwarded-for': '192.0.2.2' } })
    t.equal(second.status, limited)
    await web.close()
  }
})

/** Sends the pieces, one after the other, and gives all that came back before the server hung up. */
async function speak(app: App, pieces: readonly string[], pauseMs: number): Promise<string> {
  const { port } = app.server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  const timer = setInterval(() => {
    if (socket.writable) socket.write('x')
  }, pauseMs)
  for (const piece of pieces) socket.write(piece)
  await closed
  clearInterval(timer)
  return heard
}

t.test('who sends headers or a body too slowly is cut off, and costs nobody else anything', async (t) => {
  const web = await openWebApp()
  t.after(() => web.db.close())
  const log = web.app.log
  const deps = {
    db: web.db,
    now: () => web.clock.now,
    log,
    origin: ORIGIN,
    limits: { requestTimeoutMs: 500 },
  }
  const app = await createApp(deps)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  t.after(() => web.app.close())
  const head = 'POST /api/session HTTP/1.1\r\nHost: localhost\r\n'
  const body = 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'
  const [slowHead, slowBody] = await Promise.all([speak(app, [head], 50), speak(app, [head, body], 50)])
  t.match(slowHead, /^HTTP\/1.1 (408|400)/)
  t.match(slowBody, /^HTTP\/1.1 408/)
  const { port } = app.server.address() as { port: number }
  t.equal((await fetch(`http://127.0.0.1:${port}/api/session`)).status, 200)
})

t.test(
  'a body that says it is short and is not, and one that is too large, are cut off while they come',
  async (t) => {
    const web = await openWebApp()
    t.after(() => web.close())
    await web.app.listen({ host: '127.0.0.1', port: 0 })
    const head =
      'POST /api/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n'
    const large = await speak(web.app, [`${head}Content-Length: 10000000\r\n\r\n`, 'x'.repeat(1000)], 1000)
    t.match(large, /^HTTP\/1.1 413/, 'before it has come')
    const chunk = `${(16_384).toString(16)}\r\n${'x'.repeat(16_384)}\r\n`
    const chunked = await speak(
      web.app,
      [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...Array(8).fill(chunk)],
      1000,
    )
    t.match(chunked, /^HTTP\/1.1 413/)
    t.equal((await web.ask('owner', 'GET /api/me')).status, 200)
  },
)
