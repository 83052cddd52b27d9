/** What is wrong at a stable, who sees to it, and what was wrong before. */
import type { Alarm, Alarms } from '@pesebre/contract/api/alarm'
import { useEffect, useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { change, refresh, useData } from '../data/cache.ts'
import { post } from '../data/client.ts'
import { now } from '../data/clock.ts'
import { useWatch } from '../data/live.ts'
import { withAlarm } from '../data/merge.ts'
import { chooseStable, currentStable, mayFeed, roleIn } from '../data/session.ts'
import { useAction } from '../ui/action.ts'
import { Button, ButtonLink } from '../ui/controls.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Failure, PageHeader, Show, Skeleton } from '../ui/surfaces.tsx'
import { sayDetail } from '../words/alarms.ts'
import { when } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import './alarms.css'

export function AlarmsPage() {
  const w = words.value
  const { params } = useRoute()
  const wanted = params['stable']
  useEffect(() => {
    if (wanted !== undefined) chooseStable(wanted)
  }, [wanted])
  const stable = currentStable.value
  return (
    <>
      <PageHeader
        title={w.alarm.title}
        lead={stable?.name}
        actions={
          <ButtonLink href="/account/notifications" icon="bell">
            {w.notify.choose}
          </ButtonLink>
        }
      />
      {stable === undefined ? (
        <Empty icon="stable" title={w.stable.none}>
          {w.stable.noneHelp}
        </Empty>
      ) : (
        <List key={stable.id} stable={stable.id} />
      )}
    </>
  )
}

function List({ stable }: { stable: string }) {
  const w = words.value
  const path = `/stables/${stable}/alarms`
  const loaded = useData<Alarms>(path)
  const [isAll, setAll] = useState(false)
  const all = useData<Alarms>(isAll ? `${path}?all=true` : undefined)
  useWatch({ stables: [stable] })
  return (
    <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={3} height="6rem" />}>
      {({ alarms }) => {
        const open = alarms.filter(({ cleared }) => cleared === undefined)
        const shown = new Set(open.map(({ id }) => id))
        const over = (all.data ?? { alarms }).alarms.filter(({ id }) => !shown.has(id))
        return (
          <div class="stack wide">
            {open.length === 0 && (
              <Empty icon="check" title={w.alarm.none}>
                {w.alarm.noneHelp}
              </Empty>
            )}
            {open.length > 0 && (
              <section class="stack">
                <h2 class="visually-hidden">{w.alarm.open}</h2>
                <ul class="alarms">
                  {open.map((alarm) => (
                    <Row key={alarm.id} alarm={alarm} stable={stable} />
                  ))}
                </ul>
              </section>
            )}
            {over.length > 0 && (
              <section class="stack">
                <h2>{w.alarm.recent}</h2>
                <ul class="alarms">
                  {over.map((alarm) => (
                    <Row key={alarm.id} alarm={alarm} stable={stable} />
                  ))}
                </ul>
              </section>
            )}
            {all.error && <Failure problem={all.error} />}
            {all.data === undefined && (
              <div>
                <Button look="quiet" isBusy={isAll && all.isLoading} onClick={() => setAll(true)}>
                  {w.alarm.showAll}
                </Button>
              </div>
            )}
          </div>
        )
      }}
    </Show>
  )
}

function Row({ alarm, stable }: { alarm: Alarm; stable: string }) {
  const w = words.value
  const { isBusy, problem, run } = useAction()
  const { kind, horse, name, thing, since, cleared, acknowledged, count } = alarm
  const detail = sayDetail(language.value, w, alarm, now.value)
  const isOpen = cleared === undefined
  async function acknowledge(): Promise<void> {
    const answer = await post<Alarm | undefined>(`/alarms/${alarm.id}/acknowledge`)
    if (answer?.id === alarm.id)
      change<Alarms>(`/stables/${stable}/alarms`, (list) => withAlarm(list, answer))
    else await refresh(`/stables/${stable}/alarms`)
  }
  return (
    <li class={`alarm ${isOpen ? (acknowledged ? 'is-seen' : 'is-open') : 'is-over'}`}>
      <span class="alarm-icon">
        <Icon name={isOpen ? 'warning' : 'check'} size={22} />
      </span>
      <div class="stack close">
        <h3>
          {w.alarm.kind[kind]}
          {horse && (
            <>
              {' · '}
              <a href={`/horses/${horse.id}`}>{horse.name}</a>
            </>
          )}
        </h3>
        {isOpen && <p>{w.alarm.help[kind]}</p>}
        <p class="soft small">
          {name ?? thing}
          {' · '}
          {w.alarm.since(when(language.value, since, { now: now.value }))}
          {count > 1 && ` · ${w.alarm.times(count)}`}
          {detail !== '' && ` · ${detail}`}
          {cleared !== undefined &&
            ` · ${w.alarm.cleared(when(language.value, cleared, { now: now.value }))}`}
        </p>
        {acknowledged && (
          <p class="small">
            {w.alarm.acknowledged(acknowledged.by, when(language.value, acknowledged.at, { now: now.value }))}
          </p>
        )}
        {problem && <Failure problem={problem} />}
        {!acknowledged && mayFeed(roleIn(stable)) && (
          <div class="alarm-action">
            <Button icon="check" isBusy={isBusy} onClick={() => void run(acknowledge)}>
              {w.alarm.acknowledge}
            </Button>
          </div>
        )}
      </div>
    </li>
  )
}
