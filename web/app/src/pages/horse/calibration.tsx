/** The calibration wizard: a real portion into a bucket, weighed (research F6). */
import type { CalibrationAnswer, Feed, FeedPage } from '@pesebre/contract/api/feed'
import type { Horse } from '@pesebre/contract/api/horse'
import { useState } from 'preact/hooks'
import { change, keep, refresh, useData } from '../../data/cache.ts'
import { post } from '../../data/client.ts'
import { now } from '../../data/clock.ts'
import { withFeed } from '../../data/merge.ts'
import { useAction } from '../../ui/action.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Card, Dialog, Failure, Note, Show } from '../../ui/surfaces.tsx'
import { toast } from '../../ui/toast.tsx'
import { grams, percent, when } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { AmountStepper } from './amount.tsx'
import { FeedProgress } from './feed-progress.tsx'

export function CalibrationCard({
  horse,
  mayChange,
  zone,
}: {
  horse: Horse
  mayChange: boolean
  zone: string
}) {
  const w = words.value
  const path = `/horses/${horse.id}/calibration`
  const loaded = useData<CalibrationAnswer>(path)
  const [isOpen, setOpen] = useState(false)
  return (
    <Card title={w.calibration.title}>
      <p class="soft small">{w.calibration.intro}</p>
      <Show loaded={loaded} onRetry={() => void refresh(path)}>
        {({ factor, at, by, pending }) => (
          <div class="stack tight">
            {pending && <Note tone="warn">{w.calibration.pending}</Note>}
            <p>
              {at === undefined
                ? w.calibration.never
                : w.calibration.since(
                    `${when(language.value, at, { zone, now: now.value })}${by === undefined ? '' : ` (${by})`}`,
                  )}
            </p>
            <p class="soft small">{w.calibration.factor(percent(language.value, factor / 10))}</p>
          </div>
        )}
      </Show>
      {mayChange && (
        <div>
          <Button icon="scale" onClick={() => setOpen(true)}>
            {w.calibration.start}
          </Button>
        </div>
      )}
      {isOpen && <Wizard horse={horse} zone={zone} path={path} onClose={() => setOpen(false)} />}
    </Card>
  )
}

const PRESETS = [250, 500, 1000]
/** Beyond these shares something other than the feed is wrong. */
const ODD = { low: 0.5, high: 2 }

function Wizard({
  horse,
  zone,
  path,
  onClose,
}: {
  horse: Horse
  zone: string
  path: string
  onClose: () => void
}) {
  const w = words.value
  const [step, setStep] = useState(1)
  const [asked, setAsked] = useState(500)
  const [id, setId] = useState<string>()
  const [weighed, setWeighed] = useState('')
  const { isBusy, problem, run } = useAction()
  const feeds = `/horses/${horse.id}/feeds`
  const { data: page } = useData<FeedPage>(feeds)
  const feed = page?.feeds.find((each) => each.id === id)
  const isOut = feed?.state === 'done'
  const say = (amount: number) => grams(language.value, amount)
  const weight = Number(weighed)
  const isOdd = weight > 0 && (weight / asked < ODD.low || weight / asked > ODD.high)

  async function give(): Promise<void> {
    await run(async () => {
      const made = await post<Feed>(feeds, { grams: asked }, { 'idempotency-key': crypto.randomUUID() })
      change<FeedPage>(feeds, (known) => withFeed(known, made))
      setId(made.id)
    })
  }
  async function save(): Promise<void> {
    const isDone = await run(async () =>
      keep(path, await post<CalibrationAnswer>(path, { asked, weighed: weight })),
    )
    if (!isDone) return
    toast(w.calibration.pending)
    onClose()
  }
  return (
    <Dialog title={w.calibration.title} onClose={onClose}>
      <p class="soft small" role="status">
        {w.calibration.step(step, 3)}
      </p>
      {step === 1 && (
        <>
          <h3>{w.calibration.one}</h3>
          <Note tone="warn">{w.calibration.oneHelp}</Note>
          <div class="actions">
            <Button look="primary" onClick={() => setStep(2)}>
              {w.act.next}
            </Button>
          </div>
        </>
      )}
      {step === 2 && (
        <>
          <h3>{w.calibration.two}</h3>
          {id === undefined && <AmountStepper value={asked} presets={PRESETS} onChange={setAsked} />}
          {feed && <FeedProgress feed={feed} feeder={undefined} zone={zone} />}
          {feed?.ended && !isOut && <Note tone="bad">{w.calibration.portionFailed}</Note>}
          {problem && <Failure problem={problem} />}
          <div class="actions">
            <Button onClick={onClose}>{w.act.cancel}</Button>
            {id === undefined ? (
              <Button look="primary" isBusy={isBusy} disabled={asked < 50} onClick={() => void give()}>
                {w.feed.confirm(say(asked))}
              </Button>
            ) : (
              <Button look="primary" disabled={!isOut} onClick={() => setStep(3)}>
                {w.calibration.weighNow}
              </Button>
            )}
          </div>
        </>
      )}
      {step === 3 && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            save().catch(() => undefined)
          }}
        >
          <h3>{w.calibration.three}</h3>
          <Field
            label={w.calibration.weighed}
            type="number"
            inputMode="numeric"
            required
            min={1}
            max={20_000}
            unit="g"
            value={weighed}
            onInput={({ currentTarget }) => setWeighed(currentTarget.value)}
          />
          {weight > 0 && <p>{w.calibration.result(say(asked), say(weight))}</p>}
          {isOdd && <Note tone="warn">{w.calibration.odd}</Note>}
          {problem && <Failure problem={problem} />}
          <div class="actions">
            <Button onClick={onClose}>{w.act.cancel}</Button>
            <Button type="submit" look="primary" isBusy={isBusy}>
              {w.act.save}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
