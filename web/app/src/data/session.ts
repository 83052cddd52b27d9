/** Who is signed in, what they may do, and which stable they look at. */
import type { Session } from '@pesebre/contract/api/session'
import type { StableRole } from '@pesebre/contract/api/stable'
import type { User } from '@pesebre/contract/api/user'
import { computed, type Signal, signal } from '@preact/signals'
import { speak } from '../words/language.ts'
import { forgetAll } from './cache.ts'
import { get, type Problem, remove, setCsrf, whenSignedOut } from './client.ts'
import { startEvents } from './events.ts'
import { stopLive } from './live.ts'

/** Undefined until the server has said. */
export const session: Signal<Session | undefined> = signal(undefined)
/** Why it could not be read. */
export const sessionProblem: Signal<Problem | undefined> = signal(undefined)
export const user = computed<User | null>(() => session.value?.user ?? null)
export const isAdmin = computed(() => user.value?.role === 'admin')

const STORED = 'pesebre.stable'
/** The stable that was looked at last. */
const chosen: Signal<string | null> = signal(read())

/** The stable that the navigation is about; undefined when there is none. */
export const currentStable = computed(() => {
  const stables = session.value?.stables ?? []
  return stables.find(({ id }) => id === chosen.value) ?? stables[0]
})

/** Looks at this stable from now on. */
export function chooseStable(id: string): void {
  if (chosen.peek() === id) return
  chosen.value = id
  try {
    localStorage.setItem(STORED, id)
  } catch {
    // It is the first one again next time.
  }
}

/** What somebody may do: the server checks the same (web/server/src/access.ts); this only hides what would be refused. */
export function roleIn(stable: string | undefined): StableRole | undefined {
  if (isAdmin.value) return 'owner'
  return session.value?.stables.find(({ id }) => id === stable)?.role
}

export const mayFeed = (role: StableRole | undefined): boolean => role === 'owner' || role === 'groom'
export const isOwner = (role: StableRole | undefined): boolean => role === 'owner'

/** Reads who is signed in. */
export async function readSession(): Promise<void> {
  try {
    await takeSession(await get<Session>('/session'))
    sessionProblem.value = undefined
  } catch (error) {
    sessionProblem.value = error as Problem
  }
}

/** Takes a session that the server answered with. Admins count as owners of every stable, so they get them all. */
export async function takeSession(answer: Session): Promise<void> {
  setCsrf(answer.csrf)
  const before = session.peek()?.user?.id
  if (before !== undefined && before !== answer.user?.id) forgetAll()
  const stables = answer.user?.role === 'admin' ? await allStables(answer.stables) : answer.stables
  session.value = { ...answer, stables }
  if (answer.user === null) return
  speak(answer.user.language)
  startEvents()
}

async function allStables(own: Session['stables']): Promise<Session['stables']> {
  try {
    return await get<Session['stables']>('/stables')
  } catch {
    return own
  }
}

/** Ends the session; goes on at the provider of the sign-in where there is one. */
export async function signOut(): Promise<void> {
  const { next } = await remove<{ next: string | null }>('/session')
  forget()
  if (next !== null) location.assign(next)
}

function forget(): void {
  stopLive()
  forgetAll()
  const before = session.peek()
  if (before !== undefined) session.value = { ...before, user: null, csrf: null, stables: [] }
  // A new visit needs what only the server knows.
  readSession().catch(() => undefined)
}

whenSignedOut(() => {
  if (session.peek()?.user) forget()
})

function read(): string | null {
  try {
    return localStorage.getItem(STORED)
  } catch {
    return null
  }
}
