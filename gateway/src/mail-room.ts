import { CONTROL_SHADOW, readControl } from '@pesebre/contract/control'
import type { ShadowDocument } from './adapters/iot-data.ts'
import type { Logger } from './adapters/log.ts'
import type { Link } from './adapters/mqtt.ts'
import { type Mailbox, mailboxOf } from './app/mailbox.ts'
import type { WorkerHandle } from './workers.ts'

export type MailRoomSettings = {
  readonly workers: readonly WorkerHandle[]
  readonly log: Logger
  /** Reads a named shadow; undefined: there is none. */
  readonly read: (thing: string, shadow: string) => Promise<ShadowDocument | undefined>
  /** false: devices get no commands from here (PESEBRE_COMMANDS). Whether they may speak, and their settings, hold all the same. */
  readonly handsOut: boolean
}

export type MailRoom = {
  /** A message of the topics that `TOPIC` covers. */
  onMessage(topic: string, payload: Uint8Array): void
  /** Whether such messages come, and whether some may have been missed. */
  onLink(link: Link): void
}

/** The complete state after each change of a control shadow: a delta would say nothing when a key goes. */
export const TOPIC = `$aws/things/+/shadow/name/${CONTROL_SHADOW}/update/documents`
const THING = /^\$aws\/things\/([^/]+)\/shadow\/name\/[^/]+\/update\/documents$/
const FAILURE_LOG_MS = 10_000
/** Questions to AWS at a time. While it does not answer, more would only pile up. */
const ASKED_MAX = 256

/** Brings what the control shadows say to the workers: as it is announced, and when they ask. */
export function openMailRoom({ workers, log, read, handsOut }: MailRoomSettings): MailRoom {
  let loggedAt = Number.NEGATIVE_INFINITY
  let asked = 0
  for (const worker of workers) {
    worker.onLookUp((thing, epoch) => {
      answer(thing).then(
        (mailbox) => worker.tell({ kind: 'mailbox', thing, mailbox, epoch }),
        (error: unknown) => {
          worker.tell({ kind: 'mailbox', thing, mailbox: undefined, epoch })
          if (performance.now() - loggedAt < FAILURE_LOG_MS) return
          loggedAt = performance.now()
          log.warn({ err: error }, 'control shadow cannot be read: devices are answered without commands')
        },
      )
    })
  }

  const shown = (mailbox: Mailbox): Mailbox => (handsOut ? mailbox : { ...mailbox, queue: [] })

  async function answer(thing: string): Promise<Mailbox> {
    if (asked >= ASKED_MAX) throw new Error(`Cannot ask AWS IoT: ${asked} questions wait for an answer`)
    asked++
    try {
      const document = await read(thing, CONTROL_SHADOW)
      return shown(mailboxOf(document && readControl(document.state), document?.version ?? 0))
    } finally {
      asked--
    }
  }

  function onMessage(topic: string, payload: Uint8Array): void {
    const thing = THING.exec(topic)?.[1]
    const current = currentOf(payload)
    if (thing === undefined || current === undefined) return
    const mailbox = shown(mailboxOf(readControl(current.state), current.version))
    for (const worker of workers) worker.tell({ kind: 'announced', thing, mailbox })
  }

  function onLink({ isLive, isReset }: Link): void {
    for (const worker of workers) worker.tell({ kind: 'live', isLive, isReset })
  }

  return { onMessage, onLink }
}

/** `current` of a message to `update/documents` (AWS IoT Core Developer Guide, "Device Shadow service documents"). */
function currentOf(payload: Uint8Array): ShadowDocument | undefined {
  try {
    const { current } = JSON.parse(new TextDecoder().decode(payload)) as { current?: ShadowDocument }
    return Number.isSafeInteger(current?.version) ? current : undefined
  } catch {
    return undefined
  }
}
