import type { FeederSummary } from '@pesebre/contract/api/horse'
import { now } from '../../data/clock.ts'
import { reports } from '../../data/events.ts'
import { Card, Meter, Note } from '../../ui/surfaces.tsx'
import { ago, number, span } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { sayNext, sayPresence } from '../../words/presence.ts'
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
      <dl class="facts small">
        {report && <Measured report={report} />}
        {lastSeen !== null && !isSilent && (
          <>
            <FactRow
              name={w.presence.last}
              value={ago(language.value, w, { at: lastSeen, now: now.value })}
            />
            <FactRow name={w.presence.next} value={sayNext(language.value, feeder, now.value) ?? '–'} />
          </>
        )}
      </dl>
      {(lastSeen === null || isSilent) && (
        <p class="soft small">
          {sayPresence(language.value, w, feeder, now.value)}
          {isSilent && every !== undefined && ` ${w.presence.lateHelp(span(w, every))}`}
        </p>
      )}
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
  return (
    <>
      {shown.map(([field, unit, digits]) => (
        <FactRow
          key={field}
          name={w.history[field]}
          value={`${number(language.value, report[field] as number, digits)} ${unit}`}
        />
      ))}
    </>
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
