import type { FeederSummary } from '@pesebre/contract/api/horse'
import { now } from '../../data/clock.ts'
import { reports } from '../../data/events.ts'
import { Card, Meter, Note } from '../../ui/surfaces.tsx'
import { number, span } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { sayPresence } from '../../words/presence.ts'
import { BATTERY_LOW, HOPPER_LOW } from '../horse-tile.tsx'

/** How the feeder is, by its own last word. */
export function FeederFacts({ feeder }: { feeder: FeederSummary }) {
  const w = words.value
  const { hopperPct, batteryPct, lastSeen, nextExpected, state } = feeder
  const report = reports.value.get(feeder.thing)?.state
  const every = lastSeen !== null && nextExpected !== null ? nextExpected - lastSeen : undefined
  const isSilent = state === 'late' || state === 'offline'
  return (
    <Card title={w.horse.live}>
      <div class="meters">
        <Meter icon="feeder" label={w.card.hopper} value={hopperPct} low={HOPPER_LOW} />
        <Meter icon="battery" label={w.card.battery} value={batteryPct} low={BATTERY_LOW} />
      </div>
      {report && <Measured report={report} />}
      <p class="soft small">
        {sayPresence(language.value, w, feeder, now.value)}
        {isSilent && every !== undefined && ` ${w.presence.lateHelp(span(w, every))}`}
      </p>
      {state === 'gateway_down' && <Note tone="warn">{w.presence.gatewayHelp}</Note>}
      {state === 'jammed' && <Note tone="bad">{w.feeder.jammedHelp}</Note>}
    </Card>
  )
}

function Measured({ report }: { report: Record<string, unknown> }) {
  const w = words.value
  const rows = [
    ['temp_c', '°C', 1],
    ['rssi_dbm', 'dBm', 0],
  ] as const
  const shown = rows.filter(([field]) => typeof report[field] === 'number')
  if (shown.length === 0) return null
  return (
    <dl class="facts small">
      {shown.map(([field, unit, digits]) => (
        <FactRow
          key={field}
          name={w.history[field]}
          value={`${number(language.value, report[field] as number, digits)} ${unit}`}
        />
      ))}
    </dl>
  )
}

function FactRow({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
