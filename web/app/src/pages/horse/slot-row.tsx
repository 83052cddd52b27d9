import type { Slot } from '@pesebre/contract/api/schedule'
import { useId } from 'preact/hooks'
import { IconButton } from '../../ui/controls.tsx'
import { hhmm, minuteOf, weekdays } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import type { Draft, Fault } from './slots.ts'

/** One meal of the schedule. */
export function SlotRow({
  slot,
  faults,
  max,
  isFixed,
  onChange,
  onRemove,
}: {
  slot: Draft
  faults: readonly Fault[]
  /** Most grams without a word of the owner. */
  max: number | undefined
  isFixed: boolean
  onChange: (to: Partial<Slot>) => void
  onRemove: () => void
}) {
  const w = words.value
  const id = useId()
  const time = hhmm(slot.minute)
  const said = faults.map((fault) => {
    if (fault.kind === 'twice') return w.schedule.twice(hhmm(fault.minute))
    return fault.kind === 'days' ? w.schedule.noDays : w.schedule.noGrams
  })
  const isOver = max !== undefined && slot.grams > max
  return (
    <li class="slot">
      <fieldset disabled={isFixed}>
        <legend class="visually-hidden">{time}</legend>
        <span class="input">
          <input
            type="time"
            required
            aria-label={w.schedule.time}
            value={time}
            onChange={({ currentTarget }) => {
              const minute = minuteOf(currentTarget.value)
              if (minute !== undefined) onChange({ minute })
            }}
          />
        </span>
        <span class="input with-unit">
          <input
            type="number"
            inputMode="numeric"
            min={1}
            max={65_535}
            aria-label={w.schedule.grams}
            aria-invalid={faults.some(({ kind }) => kind === 'grams') || isOver || undefined}
            aria-describedby={said.length > 0 ? id : undefined}
            value={slot.grams || ''}
            onInput={({ currentTarget }) => onChange({ grams: Math.round(currentTarget.valueAsNumber || 0) })}
          />
          <span class="unit" aria-hidden="true">
            g
          </span>
        </span>
        <Days days={slot.days} onChange={(days) => onChange({ days })} />
        {!isFixed && <IconButton icon="bin" label={w.schedule.remove(time)} onClick={onRemove} />}
      </fieldset>
      {said.length > 0 && (
        <p class="error" id={id}>
          {said.join('. ')}
        </p>
      )}
    </li>
  )
}

function Days({ days, onChange }: { days: number; onChange: (days: number) => void }) {
  const w = words.value
  const short = weekdays(language.value, 'narrow')
  const long = weekdays(language.value, 'long')
  return (
    <fieldset class="days">
      <legend class="visually-hidden">{w.schedule.days}</legend>
      {short.map((name, day) => (
        <label key={long[day]}>
          <input
            type="checkbox"
            checked={(days & (1 << day)) !== 0}
            onChange={() => onChange(days ^ (1 << day))}
          />
          <span aria-hidden="true">{name}</span>
          <span class="visually-hidden">{long[day]}</span>
        </label>
      ))}
    </fieldset>
  )
}
