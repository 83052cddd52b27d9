import type { AlarmKind } from '@pesebre/contract/api/alarm'
import type { FeedRow } from '../feeding/timeline.ts'

/** What something that was heard says of an alarm: that its cause is there, or that it has gone. */
export type Signal = {
  readonly kind: AlarmKind
  readonly isOn: boolean
  /** It happened anew: counted, and to be acknowledged once more. Else it just goes on. */
  readonly isAnew?: boolean
  /** Numbers for the text. */
  readonly detail?: Readonly<Record<string, number | string>>
}

/** On at or below the first, off at or above the second: a value that trembles raises no second alarm. */
const HOPPER_PCT = { on: 10, off: 15 }
/** A lithium cell at rest: below it the motor may take the feeder down with it. */
const BATTERY_MV = { on: 3_500, off: 3_600 }
/** Why a feeder refuses for good until somebody comes, and for what a person is to be told at once. */
const LATCHED = 'latched'

/** What a feeder's report says. Values that are no numbers say nothing. */
export function signalsOfState(state: Readonly<Record<string, unknown>>): Signal[] {
  return [
    ...level('empty', 'hopper_pct', state, HOPPER_PCT),
    ...level('battery', 'battery_mv', state, BATTERY_MV),
  ]
}

function level(
  kind: AlarmKind,
  field: string,
  state: Readonly<Record<string, unknown>>,
  { on, off }: { on: number; off: number },
): Signal[] {
  const value = state[field]
  if (typeof value !== 'number' || !Number.isFinite(value)) return []
  if (value <= on) return [{ kind, isOn: true, detail: { [field]: value } }]
  return value >= off ? [{ kind, isOn: false }] : []
}

/** What the end of a feeding says: by the feeder's word, or that there is none. */
export function signalsOfFeed(row: FeedRow): Signal[] {
  const detail = detailOf(row)
  const off = (kind: AlarmKind): Signal => ({ kind, isOn: false })
  switch (row.state) {
    case 'done':
    case 'partial':
      // It runs: whatever stopped it is over. A meal that was missed was followed by another, at least.
      return [
        off('jammed'),
        off('interrupted'),
        off('unknown'),
        ...(row.source === 'schedule' ? [off('missed')] : []),
      ]
    case 'jammed':
      return [{ kind: 'jammed', isOn: true, isAnew: true, detail }, off('unknown')]
    case 'interrupted':
      return [{ kind: 'interrupted', isOn: true, isAnew: true, detail }, off('unknown')]
    case 'unknown':
      return [{ kind: 'unknown', isOn: true, isAnew: true, detail }]
    case 'refused':
    case 'expired': {
      const isJam = row.reason === LATCHED
      const jammed: Signal[] = isJam ? [{ kind: 'jammed', isOn: true, detail }] : []
      // A person who is refused sees it; of a meal of the schedule nobody would know.
      const missed: Signal[] =
        row.source === 'schedule' ? [{ kind: 'missed', isOn: true, isAnew: true, detail }] : []
      return [...jammed, ...missed]
    }
    default:
      return []
  }
}

function detailOf({
  n,
  slot,
  occurrence,
  planned_g,
  actual_g,
  reason,
}: FeedRow): Record<string, number | string> {
  return {
    ...(n !== null && { n }),
    ...(slot !== null && { minute: slot }),
    ...(occurrence !== null && { occurrence }),
    ...(planned_g !== null && { grams: planned_g }),
    ...(actual_g !== null && { actual: actual_g }),
    ...(reason !== null && { reason }),
  }
}
