/** What the feeder measured, as a line with honest gaps, and the same as a table. */
import type { History } from '@pesebre/contract/api/history'
import { useMemo, useState } from 'preact/hooks'
import { refresh, useData } from '../../data/cache.ts'
import { instant } from '../../data/clock.ts'
import { Choice } from '../../ui/controls.tsx'
import { Card, Empty, Show, Skeleton } from '../../ui/surfaces.tsx'
import { number, when } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { Chart } from './chart.tsx'
import type { SectionProps } from './horse.tsx'
import { extremes, FIELDS, type FieldName, SPANS, type SpanName, seen, spanOf } from './series.ts'

export function HistorySection({ horse, zone }: SectionProps) {
  const w = words.value
  const [field, setField] = useState<FieldName>('hopper_pct')
  const [span, setSpan] = useState<SpanName>('day')
  // Begun anew when something else is looked at, not with each tick of the clock.
  const range = useMemo(() => spanOf(span, instant()), [span, field])
  const path = `/horses/${horse.id}/history?field=${field}&from=${range.from}&to=${range.to}&zone=${encodeURIComponent(zone)}`
  const loaded = useData<History>(path)
  return (
    <Card class="history">
      <div class="row spread">
        <Choice
          label={w.history.field}
          value={field}
          options={(Object.keys(FIELDS) as FieldName[]).map((value) => ({ value, label: w.history[value] }))}
          onPick={setField}
        />
        <Choice
          label={w.history.span}
          value={span}
          options={(Object.keys(SPANS) as SpanName[]).map((value) => ({
            value,
            label: w.history[value === 'day' ? 'dayLong' : value],
          }))}
          onPick={setSpan}
        />
      </div>
      <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={1} height="20rem" />}>
        {(history) => (
          <Shown history={{ ...history, ...seen(history) }} field={field} span={span} zone={zone} />
        )}
      </Show>
    </Card>
  )
}

function Shown({
  history,
  field,
  span,
  zone,
}: {
  history: History
  field: FieldName
  span: SpanName
  zone: string
}) {
  const w = words.value
  const { unit, digits, scale } = FIELDS[field]
  const say = (value: number | null) =>
    value === null ? '–' : `${number(language.value, value * scale, digits)} ${unit}`
  const found = extremes(history.points)
  if (found === undefined)
    return (
      <Empty icon="chart" title={w.history.empty}>
        {w.history.emptyHelp}
      </Empty>
    )
  const spanName = w.history[span === 'day' ? 'dayLong' : span]
  const summary = w.history.summary(say(found.low), say(found.high), say(found.last))
  return (
    <div class="stack">
      <figure class="stack tight">
        <Chart
          history={history}
          field={field}
          zone={zone}
          label={`${w.history.chart(w.history[field], spanName)}. ${summary}`}
        />
        <figcaption class="row spread small soft">
          <span>{summary}</span>
          <span>
            {history.gaps.length > 0 && (
              <>
                <span class="gap-key" aria-hidden="true" /> {w.history.gaps(history.gaps.length)}
              </>
            )}
          </span>
        </figcaption>
      </figure>
      <details>
        <summary>{w.history.table}</summary>
        <HistoryTable history={history} zone={zone} say={say} />
      </details>
      {history.indexed !== null && (
        <p class="small soft">
          {w.history.indexed(when(language.value, history.indexed, { zone, now: instant() }))}
        </p>
      )}
    </div>
  )
}

function HistoryTable({
  history,
  zone,
  say,
}: {
  history: History
  zone: string
  say: (value: number | null) => string
}) {
  const w = words.value
  const { at, min, max, avg, last } = history.points
  const now = instant()
  return (
    // A region that scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class="table-scroll" tabIndex={0} aria-label={w.history.table}>
      <table>
        <thead>
          <tr>
            <th scope="col">{w.history.from}</th>
            <th scope="col" class="number">
              {w.history.low}
            </th>
            <th scope="col" class="number">
              {w.history.high}
            </th>
            <th scope="col" class="number">
              {w.history.mean}
            </th>
            <th scope="col" class="number">
              {w.history.last}
            </th>
          </tr>
        </thead>
        <tbody>
          {at.map((time, row) => (
            <tr key={time}>
              <th scope="row">{when(language.value, time, { zone, now })}</th>
              {avg[row] === null || avg[row] === undefined ? (
                <td colSpan={4} class="soft">
                  {w.history.gap}
                </td>
              ) : (
                [min, max, avg, last].map((column, index) => (
                  <td key={`${time}${index}`} class="number">
                    {say(column[row] ?? null)}
                  </td>
                ))
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
