import { readFile } from 'node:fs/promises'
import { METHOD } from '@pesebre/coap/codec/codes'
import { secondsOf } from '../args.ts'
import { BODY_TYPES, bodyTypeOf, encodeBody } from '../body.ts'
import { type Args, type Command, Failure, type Io, Misuse } from '../command.ts'
import { exchange, LOCAL_PATHS, TIMEOUT_OPTION, urlOf } from '../exchange.ts'

/** `post`: sends one report, as a device would. */
export const post: Command = {
  name: 'post',
  summary: 'Send a report over CoAP, like a device',
  usage: '<url> [-t json|cbor|senml|text] (-d <data> | -f <file> | < file)',
  about: [
    'The answer 2.04 means that the report is in the journal, flushed to disk.',
    LOCAL_PATHS,
    'With -t cbor, JSON text is turned into CBOR; a file that is CBOR already goes as it is.',
  ],
  options: {
    type: {
      type: 'string',
      short: 't',
      value: 'type',
      help: `Kind of body: ${Object.keys(BODY_TYPES).join(', ')} (json)`,
    },
    data: { type: 'string', short: 'd', value: 'data', help: 'The body' },
    file: {
      type: 'string',
      short: 'f',
      value: 'file',
      help: 'File that holds the body; without -d and -f, stdin',
    },
    non: { type: 'boolean', help: 'Send it non-confirmable: once, without repeats' },
    timeout: TIMEOUT_OPTION,
  },
  examples: [
    [`post /feeder/bella -d '{"hopper_pct":62}'`, 'to the local stack'],
    [`post coap://192.0.2.7/feeder/bella -t cbor -d '{"hopper_pct":62}'`, 'to another host, as CBOR'],
    [`post /feeder/bella -t senml -d '[{"n":"temp","u":"Cel","v":21.5}]'`, 'a SenML pack'],
    ['post /feeder/bella -t text -d 21.5', 'plain text becomes the key "value"'],
  ],
  run: async (args, io) => {
    const type = bodyTypeOf(args.text['type'] ?? 'json')
    const url = urlOf(args, io)
    const timeoutS = secondsOf(args, 'timeout')
    return exchange({
      url,
      io,
      json: args.flag['json'],
      timeoutS,
      request: {
        method: METHOD.POST,
        confirmable: !args.flag['non'],
        contentFormat: BODY_TYPES[type],
        payload: encodeBody(type, await bodyOf(args, io)),
      },
    })
  },
}

async function bodyOf({ text }: Args, io: Io): Promise<Uint8Array> {
  const { data, file } = text
  if (data !== undefined && file !== undefined) throw new Misuse('Only one of -d and -f can be given')
  if (data !== undefined) return new TextEncoder().encode(data)
  if (file !== undefined) {
    return readFile(file).catch((error: Error) => {
      throw new Failure(`Cannot read the body: ${error.message}`)
    })
  }
  const stdin = await io.stdin()
  if (stdin === undefined || stdin.length === 0) throw new Misuse('Missing: a body, by -d, by -f or on stdin')
  return stdin
}
