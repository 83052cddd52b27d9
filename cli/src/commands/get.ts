import { METHOD } from '@pesebre/coap/codec/codes'
import { secondsOf } from '../args.ts'
import type { Command } from '../command.ts'
import { exchange, LOCAL_PATHS, TIMEOUT_OPTION, urlOf } from '../exchange.ts'

/** `get`: reads a resource. */
export const get: Command = {
  name: 'get',
  summary: 'Read a resource over CoAP',
  usage: '<url> [options]',
  about: [
    LOCAL_PATHS,
    'The body goes to stdout (JSON and CBOR as JSON), the line about the answer to stderr.',
  ],
  options: {
    non: { type: 'boolean', help: 'Ask non-confirmable: once, without repeats' },
    timeout: TIMEOUT_OPTION,
  },
  examples: [
    ['get /health', 'whether the local gateway takes and delivers reports'],
    ['get /.well-known/core', 'its resources'],
    ['get coap://[2001:db8::7]/health --json', 'another host, for a program'],
  ],
  run: async (args, io) =>
    exchange({
      url: urlOf(args, io),
      io,
      json: args.flag['json'],
      timeoutS: secondsOf(args, 'timeout'),
      request: { method: METHOD.GET, confirmable: !args.flag['non'] },
    }),
}
