import { blockBytes, szxFor } from '@pesebre/coap/codec/block'
import { formatCode, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Settings } from '@pesebre/coap/endpoint/settings'
import type { Answer, OutgoingRequest } from '@pesebre/coap/endpoint/types'
import { openUdpEndpoint } from '../../plugtest/udp-endpoint.ts'
import { type Asked, bytesOf, type Client, type Told } from './client.ts'

/** The client role of our own library. */
export async function openOurClient(settings: Partial<Settings> = {}): Promise<Client> {
  const udp = await openUdpEndpoint({ settings })

  async function ask(port: number, asked: Asked): Promise<Told> {
    if (asked.blockSize === undefined) return told(await udp.ask(requestOf(port, asked)))
    // The size of the blocks that it sends is a setting of the whole endpoint.
    const other = await openUdpEndpoint({ settings: { ...settings, blockSizeMax: asked.blockSize } })
    try {
      return told(await other.ask(requestOf(port, asked)))
    } finally {
      await other.close()
    }
  }

  return {
    name: 'our client',
    ask,
    observe: (port, asked) => {
      const shown: Uint8Array[] = []
      const end = udp.send(
        { ...requestOf(port, asked), observe: true },
        { onAnswer: ({ payload }) => shown.push(payload), onFailure: () => {} },
      )
      return {
        shown: () => Buffer.concat(shown),
        stop: async () => end(),
        drop: async () => udp.reboot(),
      }
    },
    close: udp.close,
  }
}

function requestOf(port: number, asked: Asked): OutgoingRequest {
  const { method = 'get', path, query, confirmable, contentFormat, accept, options = [], blockSize } = asked
  const early =
    blockSize === undefined
      ? []
      : [{ number: OPTION.BLOCK2, value: blockBytes({ num: 0, more: false, szx: szxFor(blockSize) }) }]
  return {
    peer: { address: '127.0.0.1', port },
    method: METHODS[method],
    path: path.split('/').filter((segment) => segment !== ''),
    query,
    confirmable,
    contentFormat,
    accept,
    options: [...options, ...early],
    payload: bytesOf(asked.payload),
  }
}

const METHODS = { get: METHOD.GET, post: METHOD.POST, put: METHOD.PUT, delete: METHOD.DELETE } as const

function told({ code, payload }: Answer): Told {
  return { code: formatCode(code), payload: Buffer.from(payload) }
}
