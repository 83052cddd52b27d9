/** What the next changes of the clock do to the meals: said before it happens (research F3). */
import type { ClockChange, ScheduleAnswer } from '@pesebre/contract/api/schedule'
import { Card } from '../../ui/surfaces.tsx'
import { hhmm, mediumDate } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'

export function ClockChanges({ schedule, isDirty }: { schedule: ScheduleAnswer; isDirty: boolean }) {
  const w = words.value
  const { changes, zone } = schedule
  // The next two tell of both directions; the explanation is of what was saved.
  const shown = changes.slice(0, 2)
  if (shown.length === 0) return null
  return (
    <Card title={w.schedule.clock} class={isDirty ? 'is-old' : ''}>
      <ul class="list clock-changes">
        {shown.map((change) => (
          <li key={change.at} class="stack close">
            <p>{sayChange(change, zone)}</p>
            {change.meals.length === 0 ? (
              <p class="soft small">{w.schedule.untouched}</p>
            ) : (
              change.meals.map((meal) => (
                <p key={meal.minute} class="small">
                  <strong>
                    {meal.effect === 'skipped'
                      ? w.schedule.skipped(hhmm(meal.minute), hhmm(meal.wall))
                      : w.schedule.doubled(hhmm(meal.minute))}
                  </strong>
                </p>
              ))
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function sayChange({ at, shift, from, to }: ClockChange, zone: string): string {
  const { schedule } = words.value
  const say = shift > 0 ? schedule.forward : schedule.backward
  return say(mediumDate(language.value, at, zone), hhmm(from), hhmm(to))
}
