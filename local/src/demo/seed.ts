import type { HorseCard } from '@pesebre/contract/api/horse'
import type { Session } from '@pesebre/contract/api/session'
import type { Stable } from '@pesebre/contract/api/stable'
import { type WebClient, webClient } from './web-client.ts'

/** Of every demo account. The demo listens on this machine only. */
export const DEMO_PASSWORD = 'pesebre-demo'
export const DEMO_ROLES = ['owner', 'groom', 'vet', 'admin'] as const
const STABLE = { name: 'Yeguada Pesebre', zone: 'Europe/Madrid' }
const HORSES = [
  { name: 'Sol', weightKg: 520, born: '2016-04-12', notes: 'PRE, bay. Soaked hay in the afternoon.' },
  { name: 'Mora', weightKg: 460, born: '2019-05-03', notes: 'Hispano-Árabe, grey.' },
  { name: 'Bella', weightKg: 480, born: '2011-03-21', notes: null },
] as const
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

/**
 * Makes the demo accounts, their stable and its horses, as people would: through the web server's API. What is there stays
 * as it is, so that a start that was cut off is finished by the next one.
 * @param setupToken makes the first admin
 * @returns false when the demo admin cannot sign in: the data is somebody's own by now, and nothing was changed
 */
export async function seedWeb(url: string, setupToken: string): Promise<boolean> {
  const admin = await signInAdmin(url, setupToken)
  if (admin === undefined) return false
  const owner = await signIn(url, 'owner').catch(() => inviteOwner(url, admin))
  const stable = await ensureStable(owner)
  for (const role of ['groom', 'vet'] as const) await ensureMember(url, owner, { stable, role })
  const cards = await owner.call<HorseCard[]>('GET', `/api/stables/${stable}/horses`)
  for (const horse of HORSES)
    if (!cards.some((card) => card.horse.name === horse.name))
      await owner.call('POST', `/api/stables/${stable}/horses`, horse)
  return true
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
