/** The editor of the schedule that the feeder runs by itself. */
import type { LimitsAnswer } from '@pesebre/contract/api/feed'
import type { ScheduleAnswer, Slot } from '@pesebre/contract/api/schedule'
import { useEffect, useState } from 'preact/hooks'
import { keep, refresh, useData } from '../../data/cache.ts'
import { put } from '../../data/client.ts'
import { now } from '../../data/clock.ts'
import { isOwner } from '../../data/session.ts'
import { useAction } from '../../ui/action.ts'
import { Button, Check } from '../../ui/controls.tsx'
import { Card, Empty, Failure, Note, Show, Skeleton } from '../../ui/surfaces.tsx'
import { toast } from '../../ui/toast.tsx'
import { grams, when } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { ZoneField } from '../zone-field.tsx'
import { ClockChanges } from './clock-changes.tsx'
import type { SectionProps } from './horse.tsx'
import { SlotRow } from './slot-row.tsx'
import { areSame, type Draft, draft, EVERY_DAY, faultsOf, mostInADay, slotsOf } from './slots.ts'
import { SpreadDialog } from './spread.tsx'
import './schedule.css'

export function ScheduleSection({ horse, role }: SectionProps) {
  const w = words.value
  const path = `/horses/${horse.id}/schedule`
  const loaded = useData<ScheduleAnswer>(horse.feeder === null ? undefined : path)
  const { data: limits } = useData<LimitsAnswer>(
    horse.feeder === null ? undefined : `/horses/${horse.id}/limits`,
  )
  if (horse.feeder === null)
    return (
      <Card>
        <Empty icon="feeder" title={w.card.noFeeder}>
          {w.card.noFeederHelp}
        </Empty>
      </Card>
    )
  return (
    <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={6} height="4rem" />}>
      {(schedule) => <Editor schedule={schedule} limits={limits} path={path} mayChange={isOwner(role)} />}
    </Show>
  )
}

type EditorProps = {
  schedule: ScheduleAnswer
  limits: LimitsAnswer | undefined
  path: string
  mayChange: boolean
}

function Editor({ schedule, limits, path, mayChange }: EditorProps) {
  const w = words.value
  const [drafts, setDrafts] = useState<Draft[]>(() => schedule.slots.map(draft))
  const [zone, setZone] = useState(schedule.zone)
  const [base, setBase] = useState(schedule)
  const [isSpreading, setSpreading] = useState(false)
  const [isOverriding, setOverriding] = useState(false)
  const { isBusy, problem, run, clear } = useAction()
  const slots = slotsOf(drafts)
  const isDirty = zone !== base.zone || !areSame(slots, base.slots)
  const isOutdated = isDirty && schedule.version !== base.version
  const faults = faultsOf(drafts, schedule.max)
  const tooLarge = limits !== undefined && slots.some((slot) => slot.grams > limits.portion)
  const tooMuch = limits !== undefined && mostInADay(slots) > limits.daily
  const needsWord = tooLarge || tooMuch

  function take(next: ScheduleAnswer): void {
    setDrafts(next.slots.map(draft))
    setZone(next.zone)
    setBase(next)
    setOverriding(false)
    clear()
  }
  // What somebody else saved is shown at once, unless one is editing here.
  useEffect(() => {
    if (!isDirty && schedule.version !== base.version) take(schedule)
  })
  async function save(): Promise<void> {
    const body = { zone, slots, version: base.version, ...(needsWord && isOverriding && { override: true }) }
    const isDone = await run(async () => {
      const answer = await put<ScheduleAnswer>(path, body)
      keep(path, answer)
      take(answer)
    })
    if (isDone) toast(w.schedule.saved)
    else await refresh(path)
  }
  const change = (key: number, to: Partial<Slot>) =>
    setDrafts(drafts.map((each) => (each.key === key ? { ...each, ...to } : each)))

  return (
    <div class="stack wide">
      <Standing schedule={schedule} />
      <div class="columns schedule-columns">
        <Card
          title={w.schedule.title}
          actions={
            mayChange && (
              <Button look="quiet" onClick={() => setSpreading(true)}>
                {w.schedule.spread}
              </Button>
            )
          }
        >
          <p class="soft small">{w.schedule.intro}</p>
          {drafts.length === 0 ? (
            <Empty icon="calendar" title={w.schedule.empty}>
              {w.schedule.emptyHelp}
            </Empty>
          ) : (
            <ul class="slots">
              {drafts.map((each) => (
                <SlotRow
                  key={each.key}
                  slot={each}
                  faults={faults.filter((fault) => 'key' in fault && fault.key === each.key)}
                  max={limits?.portion}
                  isFixed={!mayChange}
                  onChange={(to) => change(each.key, to)}
                  onRemove={() => setDrafts(drafts.filter(({ key }) => key !== each.key))}
                />
              ))}
            </ul>
          )}
          {faults.some(({ kind }) => kind === 'many') && (
            <Note tone="bad">{w.schedule.tooMany(schedule.max)}</Note>
          )}
          <div class="row spread">
            {mayChange && (
              <Button
                icon="plus"
                disabled={drafts.length >= schedule.max}
                onClick={() => setDrafts([...drafts, draft(nextSlot(drafts))])}
              >
                {w.schedule.add}
              </Button>
            )}
            <span class="soft small">
              {w.schedule.sum(w.schedule.mealCount(drafts.length), grams(language.value, mostInADay(slots)))}
            </span>
          </div>
        </Card>
        <div class="stack wide">
          <Card>
            <ZoneField label={w.schedule.zone} value={zone} onPick={setZone} disabled={!mayChange} />
          </Card>
          <ClockChanges schedule={schedule} isDirty={isDirty} />
          {!mayChange && <Note>{w.schedule.readOnly}</Note>}
        </div>
      </div>
      {isDirty && (
        <div class="save-bar">
          <div class="stack tight">
            {isOutdated && (
              <Note tone="warn">
                <div class="stack tight">
                  <p>{w.schedule.changed}</p>
                  <div>
                    <Button onClick={() => take(schedule)}>{w.schedule.takeTheirs}</Button>
                  </div>
                </div>
              </Note>
            )}
            {needsWord && limits && (
              <Note tone="warn">
                {tooLarge && <p>{w.schedule.over(grams(language.value, limits.portion))}</p>}
                {tooMuch && <p>{w.schedule.overDay(grams(language.value, limits.daily))}</p>}
                <Check label={w.schedule.overConfirm} isOn={isOverriding} onChange={setOverriding} />
              </Note>
            )}
            {problem && problem.fields['reason'] !== 'changed' && <Failure problem={problem} />}
            <div class="row spread">
              <strong>{w.schedule.unsaved}</strong>
              <div class="row tight">
                <Button onClick={() => take(schedule)}>{w.act.cancel}</Button>
                <Button
                  look="primary"
                  isBusy={isBusy}
                  disabled={faults.length > 0 || isOutdated || (needsWord && !isOverriding)}
                  onClick={() => void save()}
                >
                  {w.act.save}
                </Button>
              </div>
            </div>
          </div>
        </div>
      )}
      {isSpreading && (
        <SpreadDialog
          max={schedule.max}
          total={mostInADay(slots) || 5000}
          onFill={(filled) => {
            setDrafts(filled.map(draft))
            setSpreading(false)
          }}
          onClose={() => setSpreading(false)}
        />
      )}
    </div>
  )
}

/** Which schedule the feeder runs, by its own word. */
function Standing({ schedule }: { schedule: ScheduleAnswer }) {
  const w = words.value
  const { version, running, pending, slots, next, zone } = schedule
  if (version === 0 && slots.length === 0) return <Note>{w.schedule.none}</Note>
  if (pending)
    return (
      <Note tone="warn" role="status">
        {running === undefined || running === 0 ? w.schedule.pendingNew : w.schedule.pending}
      </Note>
    )
  return (
    <Note tone="good" role="status">
      {w.schedule.active}
      {next !== undefined &&
        ` ${w.schedule.nextMeal(when(language.value, next.at, { zone, now: now.value }), grams(language.value, next.grams))}.`}
    </Note>
  )
}

/** A new meal: as the last one, two hours later. */
function nextSlot(drafts: readonly Draft[]): Slot {
  const last = drafts.at(-1)
  if (last === undefined) return { minute: 7 * 60, grams: 500, days: EVERY_DAY }
  return { minute: (last.minute + 120) % 1440, grams: last.grams, days: last.days }
}
