import { codeClass, formatCode, isSuccess, nameCode } from '@pesebre/coap/codec/codes'
import { showDuration } from './age.ts'
import { positionalsOf } from './args.ts'
import { decodeBody, showBody, toJson } from './body.ts'
import type { CoapRequest, CoapResponse } from './coap.ts'
import { type CoapUrl, parseCoapUrl } from './coap-url.ts'
import { type Args, EXIT, type ExitCode, type Io, type Option } from './command.ts'
import { localPort } from './target.ts'
import { openCoapClient } from './udp.ts'

/** How long to wait for an answer unless the person says otherwise, seconds. */
const TIMEOUT_S = 10

export const TIMEOUT_OPTION: Option = {
  type: 'string',
  value: 'seconds',
  help: `How long to wait for an answer (${TIMEOUT_S})`,
}
export const LOCAL_PATHS =
  'A path alone, as /health, is one of the local stack: coap://127.0.0.1 and the port of PESEBRE_COAP_PORT.'

/** The one positional of a CoAP command. */
export function urlOf(args: Args, io: Io): CoapUrl {
  const [url] = positionalsOf(args, 'url')
  return parseCoapUrl(url!, localPort('coap', io.env))
}

export type ExchangeOptions = {
  readonly url: CoapUrl
  readonly io: Io
  readonly json: boolean | undefined
  readonly timeoutS: number | undefined
  readonly request: Omit<CoapRequest, 'path' | 'query'>
}

/** Sends one request and prints its answer. The exit code says whether the answer was 2.xx. */
export async function exchange({ url, io, json, timeoutS, request }: ExchangeOptions): Promise<ExitCode> {
  const client = await openCoapClient(url)
  try {
    const whole = { ...request, path: url.path, query: url.query }
    const response = await client.request(whole, (timeoutS ?? TIMEOUT_S) * 1000)
    if (json) io.out(JSON.stringify(asJson(response)))
    else print(response, io)
    return isSuccess(response.code) ? EXIT.ok : EXIT.failed
  } finally {
    client.close()
  }
}

/** An answer as `--json` prints it. */
export function asJson({ code, contentFormat, payload, ms }: CoapResponse): Record<string, unknown> {
  return {
    code: formatCode(code),
    name: nameCode(code).replace(/^\d\.\d\d ?/, ''),
    ms: Number(ms.toFixed(1)),
    ...(contentFormat === undefined ? {} : { contentFormat }),
    ...(payload.length === 0 ? {} : { body: toJson(decodeBody(contentFormat, payload) ?? payload) }),
  }
}

/** The line about an answer. */
export function statusLine({ code, ms }: CoapResponse, io: Io): string {
  const color = codeClass(code) === 2 ? 'green' : 'red'
  return `${io.paint(color, nameCode(code))}  ${io.paint('dim', showDuration(ms))}`
}

function print(response: CoapResponse, io: Io): void {
  io.note(statusLine(response, io))
  if (response.payload.length > 0) io.out(showBody(response.contentFormat, response.payload))
}
