/** A stable with everything that a page can show: good, jammed, silent, empty-handed. For the tests of the web app. */
import type { Alarm } from '@pesebre/contract/api/alarm'
import type { Device, Fleet, FleetNumbers, Proposal } from '@pesebre/contract/api/device'
import type { CalibrationAnswer, Day, Feed, LimitsAnswer } from '@pesebre/contract/api/feed'
import type { History } from '@pesebre/contract/api/history'
import type { Hops } from '@pesebre/contract/api/hop'
import type { Horse, HorseCard } from '@pesebre/contract/api/horse'
import type { NotificationKind, NotificationsAnswer } from '@pesebre/contract/api/notification'
import type { ScheduleAnswer } from '@pesebre/contract/api/schedule'
import type { Session } from '@pesebre/contract/api/session'
import type { Language } from '@pesebre/contract/api/values'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const ZONE = 'Europe/Madrid'
export const STABLE = 'stb_yeguadapesebre22'
const ids = ['bella', 'sol', 'mora', 'lucero'].map((name) => `hrs_${name.padEnd(16, '2')}`)
export const [BELLA = '', SOL = '', MORA = '', LUCERO = ''] = ids

export type Role = 'admin' | 'owner' | 'groom' | 'vet'

export function session(role: Role, language: Language): Session {
  return {
    user: {
      id: `usr_${role.padEnd(16, '2')}`,
      email: `${role}@demo.example`,
      name: { admin: 'Ana Admin', owner: 'Olalla Vega', groom: 'Gonzalo Mozo', vet: 'Vera Vet' }[role],
      role: role === 'admin' ? 'admin' : 'user',
      language,
      hasPassword: true,
    },
    csrf: 'csrf',
    stables: [
      { id: STABLE, name: 'Yeguada Pesebre', zone: ZONE, role: role === 'admin' ? 'owner' : role },
      { id: 'stb_lasencinas222222', name: 'Las Encinas', zone: ZONE, role: 'vet' },
    ],
    oidc: null,
    needsSetup: false,
  }
}

export const SIGNED_OUT: Session = {
  user: null,
  csrf: null,
  stables: [],
  oidc: { name: 'Cognito' },
  needsSetup: false,
}

export function horses(now: number): Horse[] {
  const common = { stable: STABLE, born: null, notes: null, limits: { mealMaxG: null, dayMaxG: null } }
  return [
    {
      name: 'Bella',
      weightKg: 480,
      pictureAt: now - 9 * HOUR,
      feeder: 'feeder-1a2b3c4d',
      camera: 'camera-00000007',
    },
    { name: 'Sol', weightKg: 520, pictureAt: now - 8 * HOUR, feeder: 'feeder-5e6f7a8b', camera: null },
    { name: 'Mora', weightKg: 450, pictureAt: now - 7 * HOUR, feeder: 'feeder-9c0d1e2f', camera: null },
    { name: 'Lucero', weightKg: null, pictureAt: null, feeder: null, camera: null },
  ].map((horse, index) => ({ id: ids[index] ?? '', ...common, ...horse, createdAt: now - 90 * 24 * HOUR }))
}

export function cards(now: number): HorseCard[] {
  const [bella, sol, mora, lucero] = horses(now) as [Horse, Horse, Horse, Horse]
  return [
    {
      horse: bella,
      feeder: {
        thing: 'feeder-1a2b3c4d',
        name: 'Comedero 1',
        state: 'ok',
        hopperPct: 78,
        batteryPct: 91,
        lastSeen: now - 42_000,
        nextExpected: now + 4 * MINUTE,
      },
      camera: {
        thing: 'camera-00000007',
        name: 'Box 1',
        state: 'idle',
        lastSeen: now - 20_000,
        pictureAt: now - MINUTE,
      },
      lastMeal: { at: now - 95 * MINUTE, grams: 500, planned: 500, state: 'done', source: 'schedule' },
      nextMeal: { at: now + 85 * MINUTE, grams: null, planned: 500, state: 'planned', source: 'schedule' },
      alarms: [],
    },
    {
      horse: sol,
      feeder: {
        thing: 'feeder-5e6f7a8b',
        name: 'Comedero 2',
        state: 'jammed',
        hopperPct: 64,
        batteryPct: 77,
        lastSeen: now - 65_000,
        nextExpected: now + 3 * MINUTE,
      },
      camera: null,
      lastMeal: { at: now - 30 * MINUTE, grams: 120, planned: 500, state: 'jammed', source: 'schedule' },
      nextMeal: { at: now + 150 * MINUTE, grams: null, planned: 500, state: 'planned', source: 'schedule' },
      alarms: [{ id: 'alm_2222222222222222', kind: 'jammed', since: now - 30 * MINUTE, acknowledged: false }],
    },
    {
      horse: mora,
      feeder: {
        thing: 'feeder-9c0d1e2f',
        name: 'Comedero 3',
        state: 'late',
        hopperPct: 11,
        batteryPct: 16,
        lastSeen: now - 47 * MINUTE,
        nextExpected: now - 42 * MINUTE,
      },
      camera: null,
      lastMeal: { at: now - 5 * HOUR, grams: 400, planned: 400, state: 'done', source: 'command' },
      nextMeal: { at: now + 40 * MINUTE, grams: null, planned: 400, state: 'planned', source: 'schedule' },
      alarms: [
        { id: 'alm_3333333333333333', kind: 'late', since: now - 35 * MINUTE, acknowledged: true },
        { id: 'alm_4444444444444444', kind: 'empty', since: now - 6 * HOUR, acknowledged: true },
      ],
    },
    { horse: lucero, feeder: null, camera: null, lastMeal: null, nextMeal: null, alarms: [] },
  ]
}

export function alarms(now: number): Alarm[] {
  return [
    {
      id: 'alm_2222222222222222',
      kind: 'jammed',
      thing: 'feeder-5e6f7a8b',
      name: 'Comedero 2',
      horse: { id: SOL, name: 'Sol' },
      stable: STABLE,
      since: now - 30 * MINUTE,
      at: now - MINUTE,
      count: 1,
      detail: { minute: 720, grams: 500 },
    },
    {
      id: 'alm_3333333333333333',
      kind: 'late',
      thing: 'feeder-9c0d1e2f',
      name: 'Comedero 3',
      horse: { id: MORA, name: 'Mora' },
      stable: STABLE,
      since: now - 35 * MINUTE,
      at: now - MINUTE,
      acknowledged: { at: now - 20 * MINUTE, by: 'Gonzalo Mozo' },
      count: 1,
      detail: { seen: now - 47 * MINUTE, interval_s: 300 },
    },
    {
      id: 'alm_5555555555555555',
      kind: 'missed',
      thing: 'feeder-1a2b3c4d',
      name: 'Comedero 1',
      horse: { id: BELLA, name: 'Bella' },
      stable: STABLE,
      since: now - 26 * HOUR,
      at: now - 26 * HOUR,
      cleared: now - 25 * HOUR,
      count: 2,
      detail: { minute: 480, grams: 500 },
    },
  ]
}

export function feeds(now: number): Feed[] {
  const base = { thing: 'feeder-1a2b3c4d', ended: true } as const
  return [
    {
      ...base,
      id: 'fed_1',
      source: 'command',
      n: 12,
      by: 'Olalla Vega',
      at: now - 4 * MINUTE,
      notAfter: now + 6 * MINUTE,
      planned: 300,
      actual: 300,
      state: 'done',
      states: [
        { state: 'queued', at: now - 4 * MINUTE },
        { state: 'sent', at: now - 3.6 * MINUTE },
        { state: 'accepted', at: now - 3.55 * MINUTE },
        { state: 'dispensing', at: now - 3.5 * MINUTE },
        { state: 'done', at: now - 3.3 * MINUTE },
      ],
    },
    {
      ...base,
      id: 'fed_2',
      source: 'schedule',
      minute: 720,
      at: now - 95 * MINUTE,
      planned: 500,
      actual: 500,
      state: 'done',
      states: [
        { state: 'dispensing', at: now - 95 * MINUTE },
        { state: 'done', at: now - 94.5 * MINUTE },
      ],
    },
    {
      ...base,
      id: 'fed_3',
      source: 'command',
      n: 11,
      by: 'Gonzalo Mozo',
      at: now - 5 * HOUR,
      planned: 1200,
      state: 'refused',
      reason: 'daily',
      states: [
        { state: 'queued', at: now - 5 * HOUR },
        { state: 'sent', at: now - 5 * HOUR + 30_000 },
        { state: 'refused', at: now - 5 * HOUR + 31_000 },
      ],
    },
    {
      ...base,
      id: 'fed_4',
      source: 'command',
      n: 10,
      by: 'Gonzalo Mozo',
      at: now - 30 * HOUR,
      planned: 400,
      state: 'unknown',
      states: [
        { state: 'queued', at: now - 30 * HOUR },
        { state: 'sent', at: now - 30 * HOUR + 30_000 },
        { state: 'unknown', at: now - 29.5 * HOUR },
      ],
    },
  ]
}

export function day(now: number, date: string): Day {
  return {
    date,
    zone: ZONE,
    planned: 2500,
    actual: 1300,
    meals: [
      { source: 'schedule', minute: 420, at: now - 7 * HOUR, planned: 500, actual: 500, state: 'done' },
      { source: 'schedule', minute: 600, at: now - 4 * HOUR, planned: 500, state: 'missed' },
      {
        source: 'schedule',
        minute: 720,
        at: now - 95 * MINUTE,
        planned: 500,
        actual: 500,
        state: 'done',
        feed: 'fed_2',
      },
      { source: 'command', at: now - 4 * MINUTE, planned: 300, actual: 300, state: 'done', feed: 'fed_1' },
      { source: 'schedule', minute: 1080, at: now + 85 * MINUTE, planned: 500, state: 'planned' },
      { source: 'schedule', minute: 1260, at: now + 5 * HOUR, planned: 500, state: 'planned' },
    ],
  }
}

export const LIMITS: LimitsAnswer = {
  portion: 1920,
  daily: 9600,
  gap: 300,
  recommended: 1920,
  left: 7300,
  pending: false,
}

export function calibration(now: number): CalibrationAnswer {
  return { factor: 1042, at: now - 12 * 24 * HOUR, by: 'Olalla Vega', pending: false }
}

export function schedule(now: number): ScheduleAnswer {
  return {
    zone: ZONE,
    slots: [
      { minute: 150, grams: 500, days: 127 },
      { minute: 420, grams: 500, days: 127 },
      { minute: 720, grams: 500, days: 31 },
      { minute: 1080, grams: 500, days: 127 },
      { minute: 1260, grams: 500, days: 96 },
    ],
    version: 4,
    running: 3,
    pending: true,
    max: 48,
    next: { at: now + 85 * MINUTE, minute: 1080, grams: 500 },
    changes: [
      {
        at: Date.parse('2027-03-28T01:00:00Z'),
        date: '2027-03-28',
        shift: 60,
        from: 120,
        to: 180,
        meals: [
          { minute: 150, grams: 500, effect: 'skipped', at: Date.parse('2027-03-28T01:00:00Z'), wall: 180 },
        ],
      },
      {
        at: Date.parse('2027-10-31T01:00:00Z'),
        date: '2027-10-31',
        shift: -60,
        from: 180,
        to: 120,
        meals: [
          { minute: 150, grams: 500, effect: 'doubled', at: Date.parse('2027-10-31T00:30:00Z'), wall: 150 },
        ],
      },
    ],
  }
}

export function history(field: string, from: number, to: number): History {
  const count = 240
  const step = (to - from) / count
  const points: History['points'] = { at: [], min: [], max: [], avg: [], last: [] }
  const gap: [number, number] = [from + 90 * step, from + 120 * step]
  for (let index = 0; index < count; index++) {
    const at = Math.round(from + index * step)
    if (at > gap[0] && at < gap[1]) continue
    const isGap = index === 90
    const wave = Math.sin(index / 18)
    const value = {
      hopper_pct: 90 - ((index * 0.6) % 70),
      battery_mv: 3900 + 60 * wave,
      temp_c: 14 + 6 * wave,
    }[field]
    const shown = isGap ? null : (value ?? 60 + 20 * wave)
    points.at.push(at)
    points.avg.push(shown)
    points.last.push(shown)
    points.min.push(shown === null ? null : shown * 0.98)
    points.max.push(shown === null ? null : shown * 1.02)
  }
  return { field, from, to, resolution: 'five-minutes', points, gaps: [gap], indexed: to - 2 * MINUTE }
}

export function devices(now: number): Device[] {
  const base: Device = {
    thing: '',
    kind: 'feeder',
    isRegistered: true,
    speaks: 'coap',
    name: null,
    standing: 'good',
    alarms: [],
    horse: null,
    stable: { id: STABLE, name: 'Yeguada Pesebre' },
    created: now - 40 * 24 * HOUR,
    at: now - 42_000,
    interval_s: 300,
    gateway: 'a',
    isSecure: true,
    state: { hopper_pct: 78, battery_mv: 3980, temp_c: 14.5, rssi_dbm: -67, fed_g_today: 1300 },
    count: { reports: 11_482, to: now },
    replacedBy: null,
  }
  return [
    {
      ...base,
      thing: 'feeder-5e6f7a8b',
      name: 'Comedero 2',
      standing: 'alarm',
      alarms: ['jammed'],
      horse: { id: SOL, name: 'Sol' },
    },
    {
      ...base,
      thing: 'feeder-9c0d1e2f',
      name: 'Comedero 3',
      standing: 'late',
      at: now - 47 * MINUTE,
      horse: { id: MORA, name: 'Mora' },
    },
    {
      ...base,
      thing: 'feeder-00c0ffee',
      name: 'Comedero 4',
      standing: 'new',
      at: null,
      state: null,
      count: null,
      interval_s: null,
      gateway: null,
      stable: null,
    },
    { ...base, thing: 'feeder-1a2b3c4d', name: 'Comedero 1', horse: { id: BELLA, name: 'Bella' } },
    {
      ...base,
      thing: 'camera-00000007',
      kind: 'camera',
      speaks: 'mqtt',
      name: 'Box 1',
      horse: { id: BELLA, name: 'Bella' },
      state: { rssi_dbm: -58 },
    },
    {
      ...base,
      thing: 'bella',
      isRegistered: false,
      isSecure: false,
      name: null,
      stable: null,
      created: null,
    },
    {
      ...base,
      thing: 'feeder-0badf00d',
      name: 'Comedero viejo',
      standing: 'revoked',
      at: now - 300 * HOUR,
      stable: null,
    },
  ]
}

export function numbers(now: number): FleetNumbers {
  return {
    at: now,
    devices: { alarm: 1, late: 1, new: 1, good: 3, revoked: 1 },
    reports: 148_213,
    perMinute: 42,
    archived: { reports: 147_990, to: now - MINUTE },
  }
}

export function fleet(now: number): Fleet {
  const all = devices(now)
  return { devices: all, total: all.length, numbers: numbers(now) }
}

export const PROPOSAL: Proposal = { kind: 'feeder', thing: 'feeder-7d41c09e', firmware: null }

export function hops(now: number): Hops {
  const base = { id: '', at: now - 4_000, since: now - 7 * HOUR, ms: 3 }
  return {
    broken: 'bridge',
    hops: [
      { ...base, hop: 'gateway', id: 'a', state: 'ok', note: 'ready' },
      { ...base, hop: 'gateway', id: 'b', state: 'ok', note: 'ready' },
      { ...base, hop: 'journal', id: 'a', state: 'ok', note: 'the report is on disk', depth: 0 },
      { ...base, hop: 'queue', state: 'slow', note: 'reachable, 214 waiting', depth: 214, age: 95_000 },
      {
        ...base,
        hop: 'bridge',
        state: 'broken',
        note: '214 messages wait in the queue: does the bridge run?',
        since: now - 2 * MINUTE,
      },
      { ...base, hop: 'shadow', state: 'unknown', note: 'not asked, since the bridge is broken' },
      { ...base, hop: 'dead-letters', state: 'ok', note: 'empty', depth: 0 },
      { ...base, hop: 'mqtt', state: 'ok', note: 'connected' },
      { ...base, hop: 'database', state: 'ok', note: 'SQLite, 1.2 MB' },
      { ...base, hop: 's3', state: 'ok', note: 'reachable' },
    ],
  }
}

export function notifications(): NotificationsAnswer {
  const kinds: NotificationKind[] = [
    'jammed',
    'interrupted',
    'missed',
    'unknown',
    'empty',
    'battery',
    'late',
    'camera_gone',
    'gateway',
    'fed',
  ]
  const entries = kinds.map((kind) => [
    kind,
    { push: kind !== 'fed', email: kind === 'jammed', cooldown: 30 },
  ])
  return { kinds: Object.fromEntries(entries), available: { push: true, email: true }, subscriptions: 1 }
}
