import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** A link as a stable at the edge of a village has it. */
export type LinkSettings = {
  /** Towards the server, kilobits a second. */
  readonly kbps: number
  /** Each way, milliseconds. */
  readonly delayMs: number
}

/** Bytes that go out at once: a packet. */
const PIECE = 1_200

/** A connection whose way out takes the time that a slow link takes. What comes in is only late. */
export class SlowLink extends Duplex {
  readonly #socket: Socket
  readonly #settings: LinkSettings
  /** When the link has sent what it was given so far. */
  #freeAt = 0

  constructor(socket: Socket, settings: LinkSettings) {
    super()
    this.#socket = socket
    this.#settings = settings
    socket.setNoDelay(true)
    socket.on('data', (data) => this.#later(() => this.push(data)))
    socket.on('end', () => this.#later(() => this.push(null)))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.#later(() => this.destroy()))
    socket.once('connect', () => this.emit('connect'))
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const write = (from: number): void => {
      if (this.destroyed || from >= chunk.length) {
        done()
        return
      }
      const piece = chunk.subarray(from, from + PIECE)
      const now = performance.now()
      this.#freeAt = Math.max(this.#freeAt, now) + (piece.length * 8) / this.#settings.kbps
      setTimeout(() => {
        this.#later(() => this.#socket.write(piece))
        write(from + PIECE)
      }, this.#freeAt - now)
    }
    write(0)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#later(() => this.#socket.end())
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #later(then: () => void): void {
    setTimeout(() => {
      if (!this.destroyed) then()
    }, this.#settings.delayMs)
  }
}
