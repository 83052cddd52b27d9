import { isSuccess } from '@pesebre/coap/codec/codes'
import { secondsOf } from '../args.ts'
import { showBody } from '../body.ts'
import { type Command, EXIT } from '../command.ts'
import { asJson, LOCAL_PATHS, statusLine, urlOf } from '../exchange.ts'
import { openCoapClient } from '../udp.ts'

/** `observe`: prints a resource each time that it changes (RFC 7641). */
export const observe: Command = {
  name: 'observe',
  summary: 'Print a resource over CoAP, and again each time that it changes',
  usage: '<url> [--for <seconds>]',
  about: [
    LOCAL_PATHS,
    'It runs until Ctrl-C or for the time given, and then tells the server that it has stopped.',
  ],
  options: {
    for: { type: 'string', value: 'seconds', help: 'Stop after this time' },
  },
  endsItself: true,
  examples: [
    ['observe coap://127.0.0.1/obs --for 60', 'for one minute'],
    ['observe /obs --json', 'one JSON object per line'],
  ],
  run: async (args, io) => {
    const url = urlOf(args, io)
    const forS = secondsOf(args, 'for')
    const signal =
      forS === undefined ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(forS * 1000)])
    const client = await openCoapClient(url)
    let ok = true
    try {
      for await (const response of client.observe({ path: url.path, query: url.query }, signal)) {
        ok = isSuccess(response.code)
        if (args.flag['json']) io.out(JSON.stringify(asJson(response)))
        else {
          io.note(statusLine(response, io))
          io.out(showBody(response.contentFormat, response.payload))
        }
      }
    } finally {
      client.close()
    }
    return ok ? EXIT.ok : EXIT.failed
  },
}
