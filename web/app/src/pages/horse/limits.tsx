import type { LimitsAnswer } from '@pesebre/contract/api/feed'
import type { Horse } from '@pesebre/contract/api/horse'
import { useEffect, useState } from 'preact/hooks'
import { keep, refresh, useData } from '../../data/cache.ts'
import { put } from '../../data/client.ts'
import { useAction } from '../../ui/action.ts'
import { Button, Check, Field } from '../../ui/controls.tsx'
import { Card, Failure, Note, Show } from '../../ui/surfaces.tsx'
import { toast } from '../../ui/toast.tsx'
import { grams } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'

/** The caps: server and feeder both keep to them. */
export function LimitsCard({ horse, mayChange }: { horse: Horse; mayChange: boolean }) {
  const w = words.value
  const path = `/horses/${horse.id}/limits`
  const loaded = useData<LimitsAnswer>(path)
  return (
    <Card title={w.limits.title}>
      <p class="soft small">{w.limits.intro}</p>
      <Show loaded={loaded} onRetry={() => void refresh(path)}>
        {(limits) => <LimitsForm limits={limits} path={path} mayChange={mayChange} />}
      </Show>
    </Card>
  )
}

function LimitsForm({ limits, path, mayChange }: { limits: LimitsAnswer; path: string; mayChange: boolean }) {
  const w = words.value
  const [portion, setPortion] = useState(limits.portion)
  const [daily, setDaily] = useState(limits.daily)
  const [gap, setGap] = useState(limits.gap)
  const [isOverriding, setOverriding] = useState(false)
  const { isBusy, problem, run } = useAction()
  useEffect(() => {
    setPortion(limits.portion)
    setDaily(limits.daily)
    setGap(limits.gap)
  }, [limits.portion, limits.daily, limits.gap])
  const isOver = portion > limits.recommended
  const recommended = grams(language.value, limits.recommended)
  async function save(body: object): Promise<void> {
    const isDone = await run(async () => keep(path, await put<LimitsAnswer>(path, body)))
    if (isDone) toast(w.act.saved)
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void save({ portion, daily, gap, ...(isOver && isOverriding && { override: true }) })
      }}
    >
      {limits.pending && <Note tone="warn">{w.limits.pending}</Note>}
      <Field
        label={w.limits.portion}
        help={w.limits.recommended(recommended)}
        type="number"
        inputMode="numeric"
        required
        min={1}
        max={65_535}
        unit="g"
        disabled={!mayChange}
        value={portion}
        onInput={({ currentTarget }) => setPortion(currentTarget.valueAsNumber || 0)}
      />
      <Field
        label={w.limits.daily}
        type="number"
        inputMode="numeric"
        required
        min={1}
        max={1_000_000}
        unit="g"
        disabled={!mayChange}
        value={daily}
        onInput={({ currentTarget }) => setDaily(currentTarget.valueAsNumber || 0)}
      />
      <Field
        label={w.limits.gap}
        type="number"
        inputMode="numeric"
        required
        min={0}
        max={1440}
        unit="min"
        disabled={!mayChange}
        value={Math.round(gap / 60)}
        onInput={({ currentTarget }) => setGap((currentTarget.valueAsNumber || 0) * 60)}
      />
      {isOver && mayChange && (
        <Note tone="warn">
          <Check label={w.limits.override(recommended)} isOn={isOverriding} onChange={setOverriding} />
        </Note>
      )}
      {problem && <Failure problem={problem} />}
      {mayChange ? (
        <div class="row">
          <Button type="submit" look="primary" isBusy={isBusy} disabled={isOver && !isOverriding}>
            {w.act.save}
          </Button>
          <Button look="quiet" onClick={() => void save({ portion: null, daily: null, gap: null })}>
            {w.limits.defaults}
          </Button>
        </div>
      ) : (
        <p class="soft small">{w.limits.ownerOnly}</p>
      )}
    </form>
  )
}
