import { CODE, METHOD, nameCode } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { HOP_NOTES, type Hop, queueNote, stuckNote } from '@pesebre/contract/hops'
import { showBody } from './body.ts'
import type { CoapExchange, CoapResponse } from './coap.ts'
import { Failure } from './command.ts'
import type { QueueWatch } from './queue-watch.ts'
import type { ReadShadow } from './shadow.ts'

export type HopResult = {
  readonly hop: Hop
  readonly ok: boolean
  /** What was seen, or what is wrong and what to do. */
  readonly note: string
  /** What the hop took, milliseconds. */
  readonly ms?: number
}

export type ProbeOptions = {
  readonly coap: CoapExchange
  readonly queue: QueueWatch
  readonly readShadow: ReadShadow
  readonly thing: string
  /** Told from every other report by this. */
  readonly mark: string
  /** For each hop. */
  readonly timeoutMs: number
  readonly onHop: (result: HopResult) => void
}

const POLL_MS = 100

/** Sends one report through the chain. Ends with the first hop that is broken; the results are in the order of HOPS. */
export async function runProbe(options: ProbeOptions): Promise<readonly HopResult[]> {
  const results: HopResult[] = []
  /** Runs one step; false when it was broken. */
  async function hop(name: Hop, step: () => Promise<Omit<HopResult, 'hop' | 'ok'>>): Promise<boolean> {
    let result: HopResult
    try {
      result = { hop: name, ok: true, ...(await step()) }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      result = { hop: error instanceof BrokenElsewhere ? error.hop : name, ok: false, note: error.message }
    }
    results.push(result)
    options.onHop(result)
    return result.ok
  }

  const { thing, mark, timeoutMs } = options
  let answeredAt = 0
  let readMs = 0

  const steps: [Hop, () => Promise<Omit<HopResult, 'hop' | 'ok'>>][] = [
    ['gateway', async () => expect(await askHealth(options), CODE.CONTENT, HOP_NOTES.gateway)],
    [
      'journal',
      async () => {
        const payload = new TextEncoder().encode(JSON.stringify({ mark, sent: Date.now() }))
        const response = await options.coap(
          {
            method: METHOD.POST,
            path: ['probe', thing],
            query: [],
            contentFormat: CONTENT_FORMAT.JSON,
            payload,
          },
          timeoutMs,
        )
        answeredAt = performance.now()
        return expect(response, CODE.CHANGED, HOP_NOTES.journal)
      },
    ],
    [
      'queue',
      async () => {
        const start = performance.now()
        const { waiting } = await options.queue()
        return { note: queueNote(waiting), ms: performance.now() - start }
      },
    ],
    [
      'bridge',
      async () => {
        for (;;) {
          const start = performance.now()
          const shadow = await inShadow(options)
          const end = performance.now()
          if (shadow) {
            readMs = end - start
            return { note: HOP_NOTES.bridge, ms: Math.max(0, start - answeredAt) }
          }
          if (end - answeredAt > timeoutMs) throw await whereItStays(options)
          await new Promise((resolve) => setTimeout(resolve, POLL_MS))
        }
      },
    ],
    ['shadow', async () => ({ note: HOP_NOTES.shadow, ms: readMs })],
  ]
  for (const [name, step] of steps) {
    if (!(await hop(name, step))) break
  }
  return results
}

/** A later step met the trouble of another hop. */
class BrokenElsewhere extends Failure {
  readonly hop: Hop

  constructor(hop: Hop, message: string) {
    super(message)
    this.hop = hop
  }
}

async function inShadow({ readShadow, thing, mark }: ProbeOptions): Promise<boolean> {
  try {
    const document = await readShadow(thing)
    return document?.state?.reported?.['mark'] === mark
  } catch (error) {
    if (error instanceof Failure) throw new BrokenElsewhere('shadow', error.message)
    throw error
  }
}

/** The report has not come out. Looks where it may be. */
async function whereItStays(options: ProbeOptions): Promise<Failure> {
  const late = `the report is not in the shadow after ${options.timeoutMs / 1000} s`
  const health = await askHealth(options)
  if (health.code !== CODE.CONTENT) {
    return new BrokenElsewhere('queue', `${late}; the gateway says: ${showBody(undefined, health.payload)}`)
  }
  const stuck = stuckNote(await options.queue())
  if (stuck !== undefined) return new Failure(`${late}; ${stuck}`)
  return new Failure(`${late}, and the queue is empty: see the bridge's log, and npx pesebre dlq list`)
}

function askHealth({ coap, timeoutMs }: ProbeOptions): Promise<CoapResponse> {
  return coap({ method: METHOD.GET, path: ['health'], query: [] }, timeoutMs)
}

function expect(response: CoapResponse, code: number, note: string): Omit<HopResult, 'hop' | 'ok'> {
  if (response.code === code) return { note: `${nameCode(code)}, ${note}`, ms: response.ms }
  const said = response.payload.length > 0 ? `: ${showBody(response.contentFormat, response.payload)}` : ''
  throw new Failure(`answered ${nameCode(response.code)}${said}`)
}
