/** A day's meals: what was planned, what was eaten, what is missing. */
import type { Day } from '@pesebre/contract/api/feed'
import { useState } from 'preact/hooks'
import { refresh, useData } from '../../data/cache.ts'
import { now } from '../../data/clock.ts'
import { IconButton } from '../../ui/controls.tsx'
import { Card, Empty, Show, Skeleton, Tag } from '../../ui/surfaces.tsx'
import { sayState, toneOf } from '../../words/feeds.ts'
import { clock, dateIn, daysLater, grams, longDate } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { sayReason } from '../../words/problems.ts'

export function DayPlan({ horse, zone }: { horse: { id: string }; zone: string }) {
  const w = words.value
  const today = dateIn(zone, now.value)
  const [chosen, setDate] = useState<string>()
  const date = chosen ?? today
  const path = `/horses/${horse.id}/day?date=${date}`
  const loaded = useData<Day>(path)
  return (
    <Card
      title={w.day.title}
      actions={
        <div class="row day-switch">
          <IconButton icon="left" label={w.day.before} onClick={() => setDate(daysLater(date, -1))} />
          <span class="small nowrap">{date === today ? w.day.today : longDate(language.value, date)}</span>
          <IconButton icon="right" label={w.day.after} onClick={() => setDate(daysLater(date, 1))} />
        </div>
      }
    >
      <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={5} />}>
        {(day) =>
          day.meals.length === 0 ? (
            <Empty icon="calendar" title={w.day.empty}>
              {w.day.emptyHelp}
            </Empty>
          ) : (
            <div class="stack">
              <Sum day={day} />
              <ul class="meals">
                {day.meals.map((meal) => (
                  <li key={`${meal.source}${meal.at}${meal.feed ?? ''}`}>
                    <time dateTime={new Date(meal.at).toISOString()}>
                      {clock(language.value, meal.at, { zone: day.zone })}
                    </time>
                    <span class="grow">
                      {meal.planned !== undefined && grams(language.value, meal.planned)}
                      {meal.source === 'command' && <span class="soft small"> {w.day.byHand}</span>}
                      {meal.reason !== undefined && (
                        <span class="soft small block">{sayReason(w, meal.reason)}</span>
                      )}
                    </span>
                    <Tag tone={toneOf(meal.state)}>{sayState(language.value, w, meal)}</Tag>
                  </li>
                ))}
              </ul>
            </div>
          )
        }
      </Show>
    </Card>
  )
}

function Sum({ day }: { day: Day }) {
  const w = words.value
  const { planned, actual } = day
  const share = planned === 0 ? 0 : Math.min(100, (100 * actual) / planned)
  return (
    <div class="day-sum">
      <p>
        <strong>
          {planned === 0
            ? w.day.eatenNoPlan(grams(language.value, actual))
            : w.day.eaten(grams(language.value, actual), grams(language.value, planned))}
        </strong>
      </p>
      {planned > 0 && (
        <span class="bar" aria-hidden="true">
          <span style={{ inlineSize: `${share}%` }} />
        </span>
      )}
    </div>
  )
}
