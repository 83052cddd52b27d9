import type { Option } from '@pesebre/coap/codec/message'

/** A request in words that every client understands. */
export type Asked = {
  /** Default get. */
  readonly method?: 'get' | 'post' | 'put' | 'delete'
  /** Without the leading slash. */
  readonly path: string
  readonly query?: readonly string[]
  /** Default true. */
  readonly confirmable?: boolean
  readonly contentFormat?: number
  readonly accept?: number
  readonly options?: readonly Option[]
  readonly payload?: string | Uint8Array
  /** Asks for blocks of this size, both ways. */
  readonly blockSize?: number
}

/** What the client says that it got. */
export type Told = {
  /** As in `2.05`; undefined where a client does not say more than that it went well. */
  readonly code: string | undefined
  readonly payload: Buffer
}

/** An observation as the client sees it. */
export type Watch = {
  /** What it showed so far, one after the other. */
  shown(): Buffer
  /** Takes the observation back at the server, where the client can. */
  stop(): Promise<void>
  /** Ends without a word. */
  drop(): Promise<void>
}

/** A CoAP client, ours or another's: they are all asked the same. */
export type Client = {
  readonly name: string
  /** Rejects when no answer comes. */
  ask(port: number, asked: Asked): Promise<Told>
  observe(port: number, asked: Asked): Watch
  close(): Promise<void>
}

/** The options of numbers that have no word of their own in `Asked`. */
export function bytesOf(payload: Asked['payload']): Uint8Array | undefined {
  return typeof payload === 'string' ? Buffer.from(payload) : payload
}
