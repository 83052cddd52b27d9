import { get } from 'node:http'

const POLL_MS = 100
const REQUEST_MS = 2000
/** A loaded machine starts five Node processes in a few seconds. */
const READY_WITHIN_MS = 30_000

/**
 * Waits until a URL answers 2xx.
 * @throws Error with the last thing that was heard, after 30 s or as soon as `signal` is aborted
 */
export async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const end = Date.now() + READY_WITHIN_MS
  for (;;) {
    const heard = await ask(url, signal)
    if (heard === undefined) return
    if (signal.aborted) throw new Error(`Stopped while waiting for ${url}`)
    if (Date.now() > end) throw new Error(`No readiness after ${READY_WITHIN_MS / 1000} s: ${url}: ${heard}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Undefined when the answer was 2xx; else what came instead. */
function ask(url: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(
      url,
      { agent: false, signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) },
      (answer) => {
        const status = answer.statusCode ?? 0
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (text: string) => {
          if (body.length < 500) body += text
        })
        answer.on('close', () =>
          resolve(status >= 200 && status < 300 ? undefined : `${status} ${body}`.trim()),
        )
      },
    )
    request.on('error', (error) => resolve(error.message))
  })
}
