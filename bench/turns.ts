import type { LoadResult } from './load.ts'
import { type Plan, progress } from './plan.ts'
import {
  libcoapProgram,
  type Server,
  startEcho,
  startGateway,
  startLibcoap,
  startNpmCoap,
} from './servers.ts'

/** The servers that are set side by side, by the name that the tables show. */
export const CONTENDERS = {
  'raw Node UDP echo': startEcho,
  'npm coap': startNpmCoap,
  libcoap: startLibcoap,
  gateway: () => startGateway(),
  'gateway, forwarding': () => startGateway({ forward: true }),
} satisfies Record<string, () => Promise<Server>>
export type Contender = keyof typeof CONTENDERS

/** Results by contender, one per round; a contender that this machine does not have stays empty. */
export type Turns<T> = Record<Contender, T[]>

/**
 * Runs `measure` against each contender in each round, A B C, A B C, ..., each time on a fresh process:
 * the machine's slow moments then touch all of them alike.
 */
export async function takeTurns<T>(
  plan: Plan,
  names: readonly Contender[],
  measure: (server: Server, name: Contender) => Promise<T>,
): Promise<Turns<T>> {
  const turns: Turns<T> = {
    'raw Node UDP echo': [],
    'npm coap': [],
    libcoap: [],
    gateway: [],
    'gateway, forwarding': [],
  }
  for (let round = 1; round <= plan.rounds; round++) {
    for (const name of names) {
      if (name === 'libcoap' && !libcoapProgram) continue
      progress(`round ${round} of ${plan.rounds}: ${name}`)
      const server = await CONTENDERS[name]()
      try {
        turns[name].push(await measure(server, name))
      } finally {
        await server.stop()
      }
    }
  }
  return turns
}

/** One figure of each result. */
export function pick(results: readonly LoadResult[], key: keyof LoadResult): number[] {
  return results.map((result) => result[key])
}

/** To be said in every scenario with libcoap in it when the machine has none. */
export const ABSENT_LIBCOAP: readonly string[] = libcoapProgram
  ? []
  : ['**libcoap was not measured: coap-server is not installed (Debian package libcoap3-bin).**']
