import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Problem } from '../problems.ts'

const hash = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>

/** Cost of one hash: memory in KiB, passes, lanes. Above what OWASP's Password Storage Cheat Sheet asks (19 MiB, 2, 1). */
export type HashCost = { readonly memory: number; readonly passes: number; readonly parallelism: number }

const COST: HashCost = { memory: 65_536, passes: 3, parallelism: 1 }
const SALT_BYTES = 16
const TAG_BYTES = 32
/** Hashes at the same time: each takes 64 MiB, and somebody who guesses may not take it all. */
const CONCURRENT = 2
/** Hashes that wait for their turn, some seconds' worth. Who comes then is asked to come again. */
const WAITING_MAX = 40
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

let running = 0
const waiting: (() => void)[] = []

/** Hashes a password into the PHC text form, `$argon2id$v=19$m=...,t=...,p=...$salt$hash`. */
export async function hashPassword(password: string, cost: HashCost = COST): Promise<string> {
  const nonce = randomBytes(SALT_BYTES)
  const tag = await run({ message: normal(password), nonce, tagLength: TAG_BYTES, ...cost })
  const { memory, passes, parallelism } = cost
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(nonce)}$${text(tag)}`
}

/**
 * Whether the password is the one that was hashed. Takes as long when there is none (`stored` is null), so that the time
 * does not tell which addresses have an account.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, memory, passes, parallelism, salt, wanted] = PHC.exec(stored ?? '') ?? []
  if (salt === undefined || wanted === undefined) {
    await hashPassword(password)
    return false
  }
  const expected = Buffer.from(wanted, 'base64')
  const tag = await run({
    message: normal(password),
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(tag, expected)
}

/** The same password typed on two systems may come as different code points (NIST SP 800-63B section 3.1.1.2). */
function normal(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'))
}

async function run(parameters: Argon2Parameters): Promise<Buffer> {
  if (waiting.length >= WAITING_MAX)
    throw new Problem('unavailable', { detail: 'Too many people sign in at this moment', retryAfter: 5 })
  if (running >= CONCURRENT) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await hash('argon2id', parameters)
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

function text(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
