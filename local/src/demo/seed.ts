import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { PictureForm } from '@pesebre/contract/api/picture'
import type { Session } from '@pesebre/contract/api/session'
import type { Stable } from '@pesebre/contract/api/stable'
import { type Coat, drawPortrait } from './portrait.ts'
import { type WebClient, webClient } from './web-client.ts'

/** Of every demo account. The demo listens on this machine only. */
export const DEMO_PASSWORD = 'pesebre-demo'
export const DEMO_ROLES = ['owner', 'groom', 'vet', 'admin'] as const
const STABLE = { name: 'Yeguada Pesebre', zone: 'Europe/Madrid' }
const HORSES = [
  { name: 'Sol', weightKg: 520, born: '2016-04-12', notes: 'PRE, castaño. Heno remojado por la tarde.' },
  { name: 'Mora', weightKg: 460, born: '2019-05-03', notes: 'Hispano-Árabe, torda.' },
  { name: 'Bella', weightKg: 480, born: '2011-03-21', notes: null },
] as const
const COATS: Readonly<Record<string, Coat>> = { Sol: 'bay', Mora: 'grey', Bella: 'chestnut' }
/** Minute of the day and grams, every day. */
const MEALS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  Sol: [
    [7 * 60, 900],
    [13 * 60 + 30, 600],
    [20 * 60, 900],
  ],
  Mora: [
    [6 * 60 + 30, 700],
    [12 * 60 + 30, 500],
    [18 * 60, 500],
    [22 * 60 + 30, 700],
  ],
}
const EVERY_DAY = 127
const PEOPLE = {
  admin: { name: 'Ana Admin', language: 'es' },
  owner: { name: 'Olga Ortega', language: 'es' },
  groom: { name: 'Gus Green', language: 'en' },
  vet: { name: 'Dra. Vera Vidal', language: 'es' },
} as const
type Role = (typeof DEMO_ROLES)[number]

export function demoEmail(role: Role): string {
  return `${role}@demo.example`
}

/** A demo device, and the horse that it is for. */
export type Placement = { readonly thing: string; readonly horse: string; readonly name: string }

/**
 * Makes the demo accounts, their stable, its horses and their schedules, as people would: through the web server's API. A
 * start that was cut off is finished by the next one; when all is there, nothing is touched again: what people did with it
 * stays.
 * @param home of the stack, absolute: it remembers that all was made
 * @param setupToken makes the first admin
 * @returns false when the demo admin cannot sign in: the data is somebody's own by now, and nothing was changed
 */
export async function seedWeb(
  url: string,
  { home, setupToken, placements }: { home: string; setupToken: string; placements: readonly Placement[] },
): Promise<boolean> {
  const done = join(home, 'demo', 'seeded')
  const { needsSetup } = await webClient(url).call<Session>('GET', '/api/session')
  if (!needsSetup && existsSync(done)) return true
  if (!(await seed(url, setupToken, placements))) return false
  writeFileSync(done, '')
  return true
}

async function seed(url: string, setupToken: string, placements: readonly Placement[]): Promise<boolean> {
  const admin = await signInAdmin(url, setupToken)
  if (admin === undefined) return false
  const owner = await signIn(url, 'owner').catch(() => inviteOwner(url, admin))
  const stable = await ensureStable(owner)
  for (const role of ['groom', 'vet'] as const) await ensureMember(url, owner, { stable, role })
  const path = `/api/stables/${stable}/horses`
  const before = await owner.call<HorseCard[]>('GET', path)
  for (const horse of HORSES)
    if (!before.some((card) => card.horse.name === horse.name)) await owner.call('POST', path, horse)
  const cards = await owner.call<HorseCard[]>('GET', path)
  for (const { horse } of cards) await equip(admin, horse, placements)
  for (const { horse } of cards) await schedule(owner, horse)
  for (const { horse } of cards) if (horse.pictureAt === null) await portray(owner, horse)
  return true
}

/** Puts the demo devices of a horse in place. */
async function equip(
  admin: WebClient,
  horse: HorseCard['horse'],
  placements: readonly Placement[],
): Promise<void> {
  for (const { thing, name } of placements.filter((one) => one.horse === horse.name)) {
    if (thing === horse.feeder || thing === horse.camera) continue
    await admin.call('PUT', `/api/devices/${thing}/assignment`, { horse: horse.id, schedule: 'clear' })
    await admin.call('PATCH', `/api/devices/${thing}`, { name })
  }
}

async function schedule(owner: WebClient, horse: HorseCard['horse']): Promise<void> {
  const meals = MEALS[horse.name]
  if (meals === undefined) return
  const slots = meals.map(([minute, grams]) => ({ minute, grams, days: EVERY_DAY }))
  await owner.call('PUT', `/api/horses/${horse.id}/schedule`, { zone: STABLE.zone, slots })
}

/** Sends a picture as a browser does: to the bucket, by a form that the server has signed. */
async function portray(owner: WebClient, { id, name }: HorseCard['horse']): Promise<void> {
  const coat = COATS[name]
  if (coat === undefined) return
  const picture = await drawPortrait(coat)
  const path = `/api/horses/${id}/picture`
  const type = 'image/jpeg'
  const { url, fields } = await owner.call<PictureForm>('POST', path, { type, size: picture.length })
  const form = new FormData()
  for (const [key, value] of Object.entries(fields)) form.append(key, value)
  form.append('file', new Blob([new Uint8Array(picture)], { type }))
  const { ok, status } = await fetch(url, { method: 'POST', body: form })
  if (!ok) throw new Error(`Cannot set up the demo: the bucket does not take a picture: ${status}`)
  await owner.call('POST', `${path}/done`)
}

async function signInAdmin(url: string, token: string): Promise<WebClient | undefined> {
  const client = webClient(url)
  const { needsSetup } = await client.call<Session>('GET', '/api/session')
  if (!needsSetup) return signIn(url, 'admin').catch(() => undefined)
  await client.call('POST', '/api/setup', { token, ...account('admin') })
  return client
}

async function signIn(url: string, role: Role): Promise<WebClient> {
  const client = webClient(url)
  await client.call('POST', '/api/session', { email: demoEmail(role), password: DEMO_PASSWORD })
  return client
}

async function inviteOwner(url: string, admin: WebClient): Promise<WebClient> {
  return accept(
    url,
    'owner',
    await admin.call('POST', '/api/users', { email: demoEmail('owner'), role: 'user' }),
  )
}

async function ensureStable(owner: WebClient): Promise<string> {
  const [stable] = await owner.call<Stable[]>('GET', '/api/stables')
  return stable?.id ?? (await owner.call<Stable>('POST', '/api/stables', STABLE)).id
}

async function ensureMember(
  url: string,
  owner: WebClient,
  { stable, role }: { stable: string; role: 'groom' | 'vet' },
): Promise<void> {
  const path = `/api/stables/${stable}/members`
  const { members } = await owner.call<{ members: { email: string }[] }>('GET', path)
  if (members.some(({ email }) => email === demoEmail(role))) return
  await accept(url, role, await owner.call('POST', path, { role, email: demoEmail(role) }))
}

/** Opens the link that an invitation gave. */
async function accept(url: string, role: Role, { link }: { link: string }): Promise<WebClient> {
  const client = webClient(url)
  await client.call('POST', `/api/invitations/${link.split('#')[1]}`, account(role))
  return client
}

function account(role: Role) {
  return { ...PEOPLE[role], email: demoEmail(role), password: DEMO_PASSWORD }
}
