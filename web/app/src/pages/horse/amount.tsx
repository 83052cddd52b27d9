import { useId } from 'preact/hooks'
import { Button, IconButton } from '../../ui/controls.tsx'
import { grams } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'

const STEP = 50
const PRESETS = [50, 100, 250, 500, 1000, 1500]

/** Up to four amounts that are at hand, none above the limit. @param max grams */
export function presetsFor(max: number): number[] {
  return PRESETS.filter((amount) => amount <= max).slice(-4)
}

/** Grams by steps, by presets, or typed. */
export function AmountStepper({
  value,
  presets,
  onChange,
}: {
  value: number
  presets: readonly number[]
  onChange: (grams: number) => void
}) {
  const w = words.value
  const id = useId()
  return (
    <div class="stack tight">
      <label class="label" for={id}>
        {w.feed.amount}
      </label>
      <div class="stepper">
        <IconButton
          icon="minus"
          label={w.feed.less}
          class="outlined"
          disabled={value <= STEP}
          onClick={() => onChange(Math.max(STEP, Math.ceil(value / STEP) * STEP - STEP))}
        />
        <span class="amount">
          <input
            id={id}
            type="number"
            inputMode="numeric"
            min={1}
            max={65_535}
            value={value}
            onInput={({ currentTarget }) =>
              onChange(Math.max(0, Math.round(currentTarget.valueAsNumber || 0)))
            }
          />
          <span aria-hidden="true">g</span>
        </span>
        <IconButton
          icon="plus"
          label={w.feed.moreGrams}
          class="outlined"
          onClick={() => onChange(Math.floor(value / STEP) * STEP + STEP)}
        />
      </div>
      {presets.length > 1 && (
        <div class="presets">
          {presets.map((amount) => (
            <Button key={amount} aria-pressed={amount === value} onClick={() => onChange(amount)}>
              {grams(language.value, amount)}
            </Button>
          ))}
        </div>
      )}
    </div>
  )
}
