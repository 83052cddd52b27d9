import type { LoadOptions } from './load.ts'
import type { Server } from './servers.ts'

/** How much is measured. Times in seconds. */
export type Plan = {
  quick: boolean
  /** Turns that the servers take, one after the other. */
  rounds: number
  warmup: number
  seconds: number
  /** Requests in flight in a closed loop, over all source ports. */
  outstanding: number
  soakSeconds: number
  /** Requests of the memory scenario. */
  memoryRequests: number
}

export const FULL: Plan = {
  quick: false,
  rounds: 5,
  warmup: 3,
  seconds: 4,
  outstanding: 256,
  soakSeconds: 60,
  memoryRequests: 10_000_000,
}

export const QUICK: Plan = {
  quick: true,
  rounds: 3,
  warmup: 1,
  seconds: 2,
  outstanding: 256,
  soakSeconds: 10,
  memoryRequests: 1_000_000,
}

/** Source ports where a scenario does not say otherwise. */
export const PORTS = 64
/** Source ports, and things, of a fleet. */
export const MANY_PORTS = 10_000

/** The ordinary load: confirmable requests in a closed loop. */
export function closedLoop(plan: Plan, server: Server): LoadOptions {
  return {
    mode: 'con',
    port: server.port,
    path: server.path,
    pid: server.pid,
    seconds: plan.seconds,
    warmup: plan.warmup,
    outstanding: plan.outstanding,
    ports: PORTS,
  }
}

/** Says what is going on; a run takes minutes. Standard error, so that --json stays clean. */
export function progress(text: string): void {
  process.stderr.write(`  ${text}\n`)
}
