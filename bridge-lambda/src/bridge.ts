import type { Limits, Ports } from './ports.ts'
import { createRecent } from './recent.ts'
import { createRegistry, type RegistryRates } from './registry.ts'
import { retrying } from './retry.ts'
import { createSettle, type Shadow } from './settle.ts'
import { type ControlDocument, createSettleControl } from './settle-control.ts'
import { type Item, type Message, type Poison, poisonOf, translate } from './translate.ts'

/** Share of an invocation's time after which no more is done on shadows, and on dead letters. The rest is for the answer. */
const SHADOWS_SHARE = 0.85
const LETTERS_SHARE = 0.95

export type BridgeOptions = RegistryRates & {
  /** Things worked on at the same time. */
  readonly concurrency: number
  /** Shadows remembered between invocations. */
  readonly cachedThings: number
}

/**
 * Takes messages from the queue into shadows. Resolves to the ids of those that must come again;
 * never rejects.
 *
 * @param remainingMs how long this may take
 */
export type Bridge = (messages: readonly Message[], remainingMs: number) => Promise<string[]>

export function createBridge(ports: Ports, options: BridgeOptions): Bridge {
  const { clock, log } = ports
  const ensureThing = createRegistry(ports, options)
  const settle = createSettle({ ...ports, ensureThing }, createRecent<Shadow>(options.cachedThings))
  const settleControl = createSettleControl(ports, createRecent<ControlDocument>(options.cachedThings))

  return async (messages, remainingMs) => {
    const started = clock.now()
    const failed = new Set<string>()
    const poison: Poison[] = []
    const itemsByThing = new Map<string, Item[]>()
    for (const message of messages) {
      const translated = translate(message)
      poison.push(...translated.poison)
      for (const item of translated.items) {
        const others = itemsByThing.get(item.report.thing)
        if (others === undefined) itemsByThing.set(item.report.thing, [item])
        else others.push(item)
      }
    }
    poison.push(...(await settleAll(itemsByThing, limitsIn(remainingMs * SHADOWS_SHARE), failed)))
    await bury(poison, limitsIn(started + remainingMs * LETTERS_SHARE - clock.now()), failed)
    log.debug(
      {
        messages: messages.length,
        things: itemsByThing.size,
        poison: poison.length,
        failed: failed.size,
        ms: clock.now() - started,
      },
      'Batch done',
    )
    return [...failed]
  }

  /** Returns what the shadows refused; adds to `failed` the messages whose reports did not get through. */
  async function settleAll(
    itemsByThing: Map<string, Item[]>,
    limits: Limits,
    failed: Set<string>,
  ): Promise<Poison[]> {
    const refused: Poison[] = []
    const errors: unknown[] = []
    await eachOf(itemsByThing, options.concurrency, async ([thing, items]) => {
      try {
        const refusals = new Map<Item, string>()
        for (const settled of [settle, settleControl]) {
          for (const { item, reason } of await settled(thing, items, limits)) refusals.set(item, reason)
        }
        refused.push(...Array.from(refusals, ([item, reason]) => poisonOf(item, reason)))
      } catch (error) {
        errors.push(error)
        for (const { message } of items) failed.add(message.id)
      }
    })
    if (errors.length > 0)
      log.warn({ things: errors.length, err: errors[0] }, 'Reports not written: they come again')
    return refused
  }

  /**
   * Sends dead letters; a message whose letter could not be sent has failed. The letters of a message that comes
   * again anyway wait until then: otherwise each time would add a copy of them.
   */
  async function bury(poison: Poison[], limits: Limits, failed: Set<string>): Promise<void> {
    const due = poison.filter(({ message }) => !failed.has(message.id))
    await eachOf(due, options.concurrency, async (letter) => {
      try {
        await retrying(() => ports.sendToDlq(letter, limits.signal), limits.deadline, clock)
        log.warn({ message: letter.message.id, reason: letter.reason }, 'Record set aside')
      } catch (err) {
        failed.add(letter.message.id)
        log.warn({ message: letter.message.id, err }, 'Record not set aside: its message comes again')
      }
    })
  }

  function limitsIn(ms: number): Limits {
    return { deadline: clock.now() + ms, signal: clock.signalIn(ms) }
  }
}

/** Runs `work` on every element, on at most `limit` at a time. `work` must not reject. */
async function eachOf<T>(
  elements: Iterable<T>,
  limit: number,
  work: (element: T) => Promise<void>,
): Promise<void> {
  const queue = elements[Symbol.iterator]()
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
