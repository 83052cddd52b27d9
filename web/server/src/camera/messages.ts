import { type CameraEvent, CameraEventSchema } from '@pesebre/contract/camera'
import { QUALITIES, type Quality, type ViewerToRelay } from '@pesebre/contract/relay'
import { Compile } from 'typebox/compile'

/** Longest MQTT event of a camera that is read, bytes. */
export const EVENT_BYTES_MAX = 1024
/** Longest text of a viewer, bytes. */
export const TEXT_BYTES_MAX = 128

const event = Compile(CameraEventSchema)

/** What a camera says over MQTT; undefined when it is not what the contract has. */
export function readEvent(payload: Uint8Array): CameraEvent | undefined {
  if (payload.length > EVENT_BYTES_MAX) return undefined
  const value = parse(new TextDecoder().decode(payload))
  return event.Check(value) ? value : undefined
}

/** What a viewer says; undefined when it is not what the contract has. */
export function readText(text: string): ViewerToRelay | undefined {
  const value = parse(text)
  if (typeof value !== 'object' || value === null) return undefined
  const [[key, given] = [], ...more] = Object.entries(value)
  if (more.length > 0) return undefined
  if (key === 'ack' && Number.isInteger(given)) return { ack: given }
  if (key === 'ping' && Number.isFinite(given)) return { ping: given }
  const quality = key === 'quality' ? readQuality(given) : undefined
  return quality && { quality }
}

export function readQuality(given: unknown): Quality | undefined {
  return QUALITIES.find((one) => one === given)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
