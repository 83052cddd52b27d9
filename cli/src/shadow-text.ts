import { LINK_KEY } from '@pesebre/contract/limits'
import type { ShadowLink } from '@pesebre/contract/shadow'
import { showAge } from './age.ts'
import type { Paint } from './command.ts'
import type { ShadowDocument } from './shadow.ts'

type JsonObject = Record<string, unknown>

export type ShadowTextInput = {
  readonly title: string
  readonly document: ShadowDocument
  /** Milliseconds since 1970. */
  readonly now: number
  readonly paint: Paint
}

/** A shadow for the eye: each section's keys, their values and when each was last set. */
export function shadowText({ title, document, now, paint }: ShadowTextInput): string {
  const { state = {}, metadata = {} } = document
  const { [LINK_KEY]: link, ...reported } = state.reported ?? {}
  return [
    `${paint('bold', title)}  ${paint('dim', `version ${document.version}`)}`,
    ...section('reported', reported, metadata.reported),
    ...(isLink(link) ? [`  ${paint('dim', linkText(link))}`] : []),
    ...section('desired', state.desired, metadata.desired),
    ...section('delta', state.delta, undefined),
  ].join('\n')

  function section(name: string, values: JsonObject | undefined, times: JsonObject | undefined): string[] {
    const entries = Object.entries(values ?? {})
    if (values === undefined || (entries.length === 0 && name !== 'reported')) return []
    const width = Math.max(...entries.map(([key]) => key.length))
    const texts = entries.map(([key, value]) => [key, JSON.stringify(value)] as const)
    const valueWidth = Math.min(40, Math.max(...texts.map(([, text]) => text.length)))
    const lines = texts.map(([key, text]) => {
      const set = newest(times?.[key])
      const age = set === undefined ? '' : paint('dim', `  ${showAge(now - set * 1000)}`)
      return `  ${paint('cyan', key.padEnd(width))}  ${text.padEnd(valueWidth)}${age}`
    })
    return [paint('bold', name), ...(lines.length === 0 ? [paint('dim', '  (nothing)')] : lines)]
  }

  function linkText(from: ShadowLink): string {
    const promised = from.interval_s === undefined ? '' : `, next within ${from.interval_s} s`
    const lost = from.lost === undefined ? '' : `, ${from.lost} lost`
    return `report ${from.seq} by gateway ${from.gateway}, measured ${showAge(now - from.at)}${promised}${lost}`
  }
}

/** The newest of the timestamps in the metadata of one key, which has one per leaf. Seconds since 1970. */
function newest(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined
  const { timestamp } = metadata as { timestamp?: unknown }
  if (typeof timestamp === 'number') return timestamp
  const inner = Object.values(metadata).map(newest)
  return inner.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined)
}

function isLink(value: unknown): value is ShadowLink {
  return typeof value === 'object' && value !== null && typeof (value as ShadowLink).at === 'number'
}
