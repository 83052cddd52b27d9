import type { Slot } from '@pesebre/contract/api/schedule'
import { useState } from 'preact/hooks'
import { Button, Field } from '../../ui/controls.tsx'
import { Dialog } from '../../ui/surfaces.tsx'
import { hhmm, minuteOf } from '../../words/format.ts'
import { words } from '../../words/language.ts'
import { spread } from './slots.ts'

/** A ration spread over many small meals. */
export function SpreadDialog({
  max,
  total: present,
  onFill,
  onClose,
}: {
  max: number
  total: number
  onFill: (slots: Slot[]) => void
  onClose: () => void
}) {
  const w = words.value
  const [count, setCount] = useState(8)
  const [first, setFirst] = useState('06:00')
  const [last, setLast] = useState('22:00')
  const [total, setTotal] = useState(present)
  return (
    <Dialog title={w.schedule.spread} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          onFill(spread({ count, total, first: minuteOf(first) ?? 0, last: minuteOf(last) ?? 0 }))
        }}
      >
        <p class="soft">{w.schedule.spreadHelp}</p>
        <div class="pair">
          <Field
            label={w.schedule.meals}
            type="number"
            inputMode="numeric"
            required
            min={1}
            max={max}
            value={count}
            onInput={({ currentTarget }) => setCount(currentTarget.valueAsNumber || 1)}
          />
          <Field
            label={w.schedule.total}
            type="number"
            inputMode="numeric"
            required
            min={count}
            max={100_000}
            unit="g"
            value={total}
            onInput={({ currentTarget }) => setTotal(currentTarget.valueAsNumber || 0)}
          />
          <Field
            label={w.schedule.first}
            type="time"
            required
            value={first}
            max={last}
            onInput={({ currentTarget }) => setFirst(currentTarget.value)}
          />
          <Field
            label={w.schedule.lastMeal}
            type="time"
            required
            value={last}
            min={hhmm((minuteOf(first) ?? 0) + (count > 1 ? count - 1 : 0))}
            onInput={({ currentTarget }) => setLast(currentTarget.value)}
          />
        </div>
        <div class="actions">
          <Button onClick={onClose}>{w.act.cancel}</Button>
          <Button type="submit" look="primary">
            {w.schedule.fill}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
