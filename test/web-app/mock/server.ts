/** Answers the web app as the web server would, out of fixtures: for looking at pages, and for tests of accessibility. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import type { Language } from '@pesebre/contract/api/values'
import { WebSocketServer } from 'ws'
import * as fixtures from './fixtures.ts'

export type Mock = { url: string; close: () => Promise<void> }
export type MockOptions = {
  role?: fixtures.Role | undefined
  language?: Language
  /** Of the built app. */
  dist: string
  /** No stable has a horse, no list an entry. */
  isEmpty?: boolean
  port?: number
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
}

/** The very policy of web/server/src/security-headers.ts, so that what breaks it is seen here. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self' ws:; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Listens on loopback; port 0 if none is given. */
export async function startMock(options: MockOptions): Promise<Mock> {
  const server = createServer((request, response) => answer(options, request, response))
  const sockets = new WebSocketServer({ server, path: '/api/live' })
  let cursor = 0
  sockets.on('connection', (socket) => {
    socket.on('message', () =>
      socket.send(JSON.stringify({ cursor: `m${++cursor}`, kind: 'watching', refused: [] })),
    )
  })
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        for (const client of sockets.clients) client.terminate()
        sockets.close()
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}

function answer(options: MockOptions, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://mock')
  if (url.pathname.startsWith('/api/')) {
    answerApi(options, url, response)
    return
  }
  const isFile = extname(url.pathname) !== ''
  const path = join(options.dist, normalize(isFile ? url.pathname : '/index.html'))
  try {
    const body = readFileSync(path)
    response.writeHead(200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
    })
    response.end(body)
  } catch {
    response.writeHead(404).end()
  }
}

function answerApi(options: MockOptions, url: URL, response: ServerResponse): void {
  const path = url.pathname.slice('/api'.length)
  if (path.endsWith('/picture')) {
    response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(drawHorse(path))
    return
  }
  if (path.endsWith('/snapshot')) {
    const at = String(Date.now() - 75_000)
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'x-picture-at': at }).end(drawHorse(path))
    return
  }
  const body = bodyOf(options, path, url.searchParams)
  const status = body === undefined ? 404 : 200
  const type = body === undefined ? 'application/problem+json' : 'application/json'
  response.writeHead(status, { 'content-type': type })
  response.end(JSON.stringify(body ?? { type: '/problems/not-found', title: 'Not found', status }))
}

function bodyOf(
  { role, language = 'es', isEmpty = false }: MockOptions,
  path: string,
  query: URLSearchParams,
): unknown {
  const now = Date.now()
  if (path === '/session') return role === undefined ? fixtures.SIGNED_OUT : fixtures.session(role, language)
  const [, first, id = '', last] = path.split('/')
  if (first === 'invitations')
    return {
      kind: 'stable',
      stable: { id: fixtures.STABLE, name: 'Yeguada Pesebre' },
      role: 'groom',
      by: 'Olalla Vega',
      email: 'groom@demo.example',
      expires: now + 6 * 86_400_000,
    }
  if (first === 'stables') return stableBody(id, last, { now, isEmpty })
  if (first === 'horses') return horseBody(id, last, { now, isEmpty, query })
  if (path === '/me/notifications') return fixtures.notifications()
  if (path === '/devices/proposal') return fixtures.PROPOSAL
  if (path === '/devices')
    return isEmpty ? { ...fixtures.fleet(now), devices: [], total: 0 } : fixtures.fleet(now)
  if (first === 'devices') return fixtures.devices(now).find(({ thing }) => thing === id)
  if (path === '/hops') return fixtures.hops(now)
  if (path === '/users') return users(now)
  if (path === '/audit') return audit(now)
  return undefined
}

type Asked = { now: number; isEmpty: boolean }

function stableBody(id: string, part: string | undefined, { now, isEmpty }: Asked): unknown {
  if (id === '')
    return [
      {
        id: fixtures.STABLE,
        name: 'Yeguada Pesebre',
        zone: fixtures.ZONE,
        role: 'owner',
        horses: 4,
        createdAt: now,
      },
      {
        id: 'stb_lasencinas222222',
        name: 'Las Encinas',
        zone: fixtures.ZONE,
        role: 'vet',
        horses: 11,
        createdAt: now,
      },
    ]
  if (part === 'horses') return isEmpty ? [] : fixtures.cards(now)
  if (part === 'alarms') return { alarms: isEmpty ? [] : fixtures.alarms(now) }
  if (part === 'members')
    return {
      members: (['owner', 'groom', 'vet'] as const).map((role) => ({
        user: `usr_${role.padEnd(16, '2')}`,
        name: fixtures.session(role, 'es').user?.name,
        email: `${role}@demo.example`,
        role,
        since: now - 40 * 86_400_000,
      })),
      invitations: [
        {
          id: 'inv_2222222222222222',
          role: 'groom',
          email: 'nuevo@demo.example',
          createdAt: now,
          expires: now + 5e8,
        },
      ],
    }
  return part === 'audit' ? audit(now) : undefined
}

function horseBody(
  id: string,
  part: string | undefined,
  { now, isEmpty, query }: Asked & { query: URLSearchParams },
): unknown {
  if (part === undefined) return fixtures.horses(now).find((horse) => horse.id === id)
  if (part === 'feeds')
    return { feeds: isEmpty ? [] : fixtures.feeds(now), before: isEmpty ? undefined : 'more' }
  if (part === 'day') {
    const day = fixtures.day(now, query.get('date') ?? '2026-11-20')
    return isEmpty ? { ...day, meals: [], planned: 0, actual: 0 } : day
  }
  if (part === 'limits') return fixtures.LIMITS
  if (part === 'calibration') return fixtures.calibration(now)
  if (part === 'schedule')
    return isEmpty
      ? { ...fixtures.schedule(now), slots: [], version: 0, pending: false }
      : fixtures.schedule(now)
  if (part === 'history')
    return fixtures.history(query.get('field') ?? '', Number(query.get('from')), Number(query.get('to')))
  return undefined
}

function users(now: number): unknown {
  return (['admin', 'owner', 'groom', 'vet'] as const).map((role) => ({
    ...fixtures.session(role, 'es').user,
    createdAt: now - 40 * 86_400_000,
    disabledAt: role === 'vet' ? now : null,
    seenAt: role === 'vet' ? null : now - 3_600_000,
    stables: [{ id: fixtures.STABLE, name: 'Yeguada Pesebre', role }],
  }))
}

function audit(now: number): unknown {
  const stable = { id: fixtures.STABLE, name: 'Yeguada Pesebre' }
  const row = (id: number, action: string, detail: Record<string, unknown> = {}) => ({
    id,
    at: now - id * 1_900_000,
    user: { id: 'usr_2', name: 'Olalla Vega' },
    stable,
    action,
    subject: null,
    about: action.startsWith('horse.') ? ['Bella'] : [],
    detail,
  })
  return {
    rows: [
      row(1, 'feed.give', { grams: 300 }),
      row(2, 'schedule.change', { version: 4 }),
      row(3, 'member.invite', { email: 'nuevo@demo.example', role: 'groom' }),
      row(4, 'session.create'),
      row(5, 'horse.change', { name: 'Bella' }),
    ],
    next: 5,
  }
}

/** A horse on a meadow, in another light for each. */
function drawHorse(path: string): string {
  const hue = [...path].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 60
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="hsl(${200 + hue} 55% 78%)"/><stop offset="1" stop-color="hsl(${30 + hue} 70% 88%)"/></linearGradient></defs><rect width="640" height="360" fill="url(#s)"/><path d="M0 250q160-70 330-30t310-20v160H0z" fill="hsl(${90 + hue / 2} 28% 48%)"/><path d="M0 300q200-50 640-10v70H0z" fill="hsl(${90 + hue / 2} 30% 38%)"/><g transform="translate(190 40) scale(5.4)"><path fill="hsl(${18 + hue / 3} 45% ${26 + hue / 3}%)" d="M27.5 9.500c1.800 2.200 3.500 4.300 4.600 6.600 6.800.9 12.700 4.700 15.800 11.100 2.200 4.600 8 20 10 34H31.700c.5-14.200-.6-23.300-3.400-25.300-1.600 1.800-4 2.700-6.600 3.300-1.700 1.900-3.700 3.600-6 3.700-2.600.1-4.400-1.600-4.500-4-.1-2.100.9-3.900 2-6.100 1.900-3.700 3.600-7.100 5.300-9.800 1.600-2.600 3.900-4.500 6.200-5.800.4-2.600 1.300-5.200 2.800-7.500Z"/></g></svg>`
}
