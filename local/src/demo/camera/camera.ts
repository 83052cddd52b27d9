import { type CameraCommand, CameraCommandSchema, type CameraEvent } from '@pesebre/contract/camera'
import { Value } from 'typebox/value'
import type { LinkSettings } from './slow-link.ts'
import { type Sensor, type Stream, startStream } from './stream.ts'

export type CameraOptions = {
  readonly sensor: Sensor
  /** Says something on `cameras/{thing}/events`. */
  readonly say: (event: CameraEvent) => void
  readonly link: LinkSettings | undefined
  /** Told what it does, for the log. */
  readonly log: (text: string, fields: object) => void
}

/** A camera without its MQTT: does what it is told, and says what became of it. */
export type Camera = {
  /** It has connected for the first time since its start. */
  begin(): void
  /** A message on `cameras/{thing}/commands`. What is no command is left alone. */
  command(payload: Uint8Array): void
  stop(): void
}

/** The rate and lease of a single picture. */
const ONCE = { targetFps: 1, maxFps: 1, lease: 30 }

export function createCamera({ sensor, say, link, log }: CameraOptions): Camera {
  let current: { readonly id: string; readonly isOnce: boolean; readonly stream: Stream } | undefined

  function start(command: Extract<CameraCommand, { command: 'start' | 'snapshot' }>): void {
    const isOnce = command.command === 'snapshot'
    // A picture comes out of the stream anyway.
    if (isOnce && current !== undefined && !current.isOnce) return
    if (Date.now() / 1_000 > command.expires) {
      say({ event: 'error', streamId: command.streamId, message: 'Expired' })
      return
    }
    current?.stream.stop('asked')
    const { streamId: id, url, token } = command
    const { lease, targetFps, maxFps } = command.command === 'start' ? command : ONCE
    const stream = startStream({
      url,
      token,
      lease,
      want: { targetFps, maxFps, maxLevel: command.maxLevel },
      isOnce,
      sensor,
      link,
      onFirstAck: () => {
        if (!isOnce) say({ event: 'streaming', streamId: id })
      },
      onEnd: (reason, text) => {
        if (current?.stream === stream) current = undefined
        log('Stream ended', { streamId: id, reason, ...(text && { text }) })
        if (text !== undefined) say({ event: 'error', streamId: id, message: text.slice(0, 200) })
        else if (!isOnce) say({ event: 'stopped', streamId: id, reason })
      },
    })
    current = { id, isOnce, stream }
    log('Stream begins', { streamId: id, isOnce })
  }

  return {
    begin: () => say({ event: 'hello', firmware: 'demo' }),
    command(payload) {
      const command = read(payload)
      if (command === undefined) log('Not a command', { bytes: payload.length })
      else if (command.command === 'start' || command.command === 'snapshot') start(command)
      else if (command.command === 'stop' && current?.id === command.streamId) current.stream.stop('asked')
    },
    stop: () => current?.stream.stop('asked'),
  }
}

function read(payload: Uint8Array): CameraCommand | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    return Value.Check(CameraCommandSchema, value) ? value : undefined
  } catch {
    return undefined
  }
}
