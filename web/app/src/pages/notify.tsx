/** What one is told, by which way, per kind. */
import type { Channels, NotificationKind, NotificationsAnswer } from '@pesebre/contract/api/notification'
import { useEffect, useState } from 'preact/hooks'
import { keep, refresh, useData } from '../data/cache.ts'
import { put } from '../data/client.ts'
import { type PushState, pushState, subscribe, unsubscribe } from '../sw/push.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/controls.tsx'
import { Card, Failure, Note, PageHeader, Show } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'

const PATH = '/me/notifications'
/** The gravest first; the server has the same kinds (contract/src/api/notification.ts). */
const KINDS: readonly NotificationKind[] = [
  'jammed',
  'interrupted',
  'missed',
  'unknown',
  'empty',
  'battery',
  'late',
  'camera_gone',
  'gateway',
  'fed',
]
const COOLDOWNS = [0, 5, 15, 30, 60, 180, 720, 1440]

export function NotifyPage() {
  const w = words.value
  const loaded = useData<NotificationsAnswer>(PATH)
  return (
    <>
      <PageHeader
        title={w.notify.title}
        lead={w.notify.intro}
        back={{ href: '/account', label: w.account.title }}
      />
      <div class="stack wide narrow">
        <Show loaded={loaded} onRetry={() => void refresh(PATH)}>
          {(settings) => (
            <>
              <ThisDevice settings={settings} />
              <Kinds settings={settings} />
            </>
          )}
        </Show>
      </div>
    </>
  )
}

function ThisDevice({ settings }: { settings: NotificationsAnswer }) {
  const w = words.value
  const [state, setState] = useState<PushState>()
  const { isBusy, problem, run } = useAction()
  useEffect(() => {
    pushState()
      .then(setState)
      .catch(() => setState('unsupported'))
  }, [])
  const toggle = (work: () => Promise<unknown>) =>
    run(async () => {
      await work()
      setState(await pushState())
      await refresh(PATH)
    })
  if (!settings.available.push) return <Note>{w.notify.noPush}</Note>
  return (
    <Card>
      {problem && <Failure problem={problem} />}
      {state === 'iphone' && <Note>{w.notify.iphone}</Note>}
      {state === 'unsupported' && <Note>{w.notify.unsupported}</Note>}
      {state === 'blocked' && <Note tone="warn">{w.notify.blocked}</Note>}
      {state === 'off' && (
        <Button look="primary" icon="bell" isBusy={isBusy} onClick={() => void toggle(subscribe)}>
          {w.notify.enable}
        </Button>
      )}
      {state === 'on' && (
        <>
          <Note tone="good">{w.notify.enabled}</Note>
          <div>
            <Button isBusy={isBusy} onClick={() => void toggle(unsubscribe)}>
              {w.notify.disable}
            </Button>
          </div>
        </>
      )}
      <p class="soft small">
        {settings.subscriptions > 0 && `${w.notify.subscriptions(settings.subscriptions)}. `}
        {settings.available.email ? w.notify.important : w.notify.noEmail}
      </p>
    </Card>
  )
}

function Kinds({ settings }: { settings: NotificationsAnswer }) {
  const w = words.value
  const { problem, run } = useAction()
  const { kinds, available } = settings
  async function set(kind: NotificationKind, to: Partial<Channels>): Promise<void> {
    const channels = { ...kinds[kind], ...to }
    // Shown at once; taken back if the server does not take it.
    keep<NotificationsAnswer>(PATH, { ...settings, kinds: { ...kinds, [kind]: channels } })
    await run(() => put(PATH, { kinds: { [kind]: channels } }))
    await refresh(PATH)
  }
  const name = (kind: NotificationKind) => (kind === 'fed' ? w.alarm.fed : w.alarm.kind[kind])
  return (
    <Card>
      {problem && <Failure problem={problem} />}
      <table class="notify-table">
        <thead>
          <tr>
            <td />
            <th scope="col" class="cell-check">
              {w.notify.push}
            </th>
            <th scope="col" class="cell-check">
              {w.notify.email}
            </th>
            <th scope="col">{w.notify.cooldown}</th>
          </tr>
        </thead>
        <tbody>
          {KINDS.map((kind) => (
            <tr key={kind}>
              <th scope="row">{name(kind)}</th>
              {(['push', 'email'] as const).map((channel) => (
                <td key={channel} class="cell-check">
                  <label>
                    <span class="visually-hidden">
                      {name(kind)}: {w.notify[channel]}
                    </span>
                    <input
                      type="checkbox"
                      checked={kinds[kind][channel]}
                      disabled={!available[channel]}
                      onChange={({ currentTarget }) => void set(kind, { [channel]: currentTarget.checked })}
                    />
                  </label>
                </td>
              ))}
              <td>
                <select
                  aria-label={`${w.notify.cooldown}: ${name(kind)}`}
                  value={kinds[kind].cooldown}
                  onChange={({ currentTarget }) => void set(kind, { cooldown: Number(currentTarget.value) })}
                >
                  {[...new Set([...COOLDOWNS, kinds[kind].cooldown])]
                    .toSorted((a, b) => a - b)
                    .map((minutes) => (
                      <option key={minutes} value={minutes} selected={minutes === kinds[kind].cooldown}>
                        {w.notify.minutes(minutes)}
                      </option>
                    ))}
                </select>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )
}
