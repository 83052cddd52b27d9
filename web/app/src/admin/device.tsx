/** One device: what is known of it, whom it serves, and whether it may speak. */
import type { Assign, Device, Registered } from '@pesebre/contract/api/device'
import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { keep, refresh, useData } from '../data/cache.ts'
import { patch, post, put } from '../data/client.ts'
import { useWatch } from '../data/live.ts'
import { useAction } from '../ui/action.ts'
import { Button, Field } from '../ui/controls.tsx'
import { Card, Dialog, Failure, Note, PageHeader, Show } from '../ui/surfaces.tsx'
import { Ago, When } from '../ui/time.tsx'
import { toast } from '../ui/toast.tsx'
import { span } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import { Downloads } from './downloads.tsx'
import { HorseSelect } from './horse-select.tsx'
import { sayName, sayValue } from './report.ts'
import { StandingTag } from './standing.tsx'
import { adminWords } from './words.ts'
import './admin.css'

export function DevicePage() {
  const a = adminWords.value
  const { params } = useRoute()
  const thing = params['thing'] ?? ''
  const path = `/devices/${thing}`
  const loaded = useData<Device>(path)
  useWatch({ fleet: true, things: [thing] })
  if (loaded.error?.status === 404)
    return <PageHeader title={a.device.missing} back={{ href: '/admin/devices', label: a.fleet.title }} />
  const device = loaded.data
  return (
    <>
      <PageHeader
        title={device?.name ?? thing}
        back={{ href: '/admin/devices', label: a.fleet.title }}
        lead={
          device && (
            <div class="row tight">
              <StandingTag standing={device.standing} />
              <span class="small">
                {device.at === null ? words.value.presence.never : <Ago at={device.at} />}
              </span>
            </div>
          )
        }
      />
      <Show loaded={loaded} onRetry={() => void refresh(path)}>
        {(shown) => (
          <div class="columns-2">
            <div class="stack wide">
              <Facts device={shown} />
              <Report device={shown} />
            </div>
            {(shown.isRegistered || shown.isSecure) && shown.standing !== 'revoked' && (
              <div class="stack wide">
                <Assignment key={shown.horse?.id} device={shown} path={path} />
                {shown.isRegistered && <Access device={shown} path={path} />}
              </div>
            )}
          </div>
        )}
      </Show>
    </>
  )
}

function Facts({ device }: { device: Device }) {
  const a = adminWords.value
  const w = words.value
  const { thing, kind, speaks, created, at, interval_s, gateway, isSecure, replacedBy } = device
  const kinds: Record<string, string> = a.kind
  return (
    <Card title={a.device.facts}>
      <dl class="facts">
        <dt>{a.device.thing}</dt>
        <dd>
          <code>{thing}</code>
        </dd>
        <dt>{a.device.kind}</dt>
        <dd>{kinds[kind] ?? kind}</dd>
        <dt>{a.device.speaks}</dt>
        <dd>{speaks === 'coap' ? 'CoAP' : 'MQTT'}</dd>
        {created !== null && (
          <>
            <dt>{a.device.created}</dt>
            <dd>
              <When at={created} />
            </dd>
          </>
        )}
        <dt>{a.device.seen}</dt>
        <dd>{at === null ? w.presence.never : <When at={at} />}</dd>
        {interval_s !== null && (
          <>
            <dt>{a.device.interval}</dt>
            <dd>{span(w, interval_s * 1000)}</dd>
          </>
        )}
        {gateway !== null && (
          <>
            <dt>{a.device.gateway}</dt>
            <dd>{gateway}</dd>
          </>
        )}
        <dt>{a.device.secure}</dt>
        <dd>{isSecure ? w.act.yes : w.act.no}</dd>
        {replacedBy !== null && (
          <>
            <dt>{a.device.replacedBy}</dt>
            <dd>
              <a href={`/admin/devices/${replacedBy}`}>{replacedBy}</a>
            </dd>
          </>
        )}
      </dl>
    </Card>
  )
}

function Report({ device }: { device: Device }) {
  const a = adminWords.value
  const { state } = device
  return (
    <Card title={a.device.report}>
      {state === null ? (
        <p class="soft">{a.device.noReport}</p>
      ) : (
        <dl class="facts">
          {Object.entries(state).map(([name, value]) => (
            <Pair key={name} name={name} value={sayValue(language.value, name, value)} />
          ))}
        </dl>
      )}
    </Card>
  )
}

function Pair({ name, value }: { name: string; value: string }) {
  const said = sayName(words.value, name)
  return (
    <>
      <dt>{said === name ? <code>{name}</code> : said}</dt>
      <dd>{value}</dd>
    </>
  )
}

function Assignment({ device, path }: { device: Device; path: string }) {
  const a = adminWords.value
  const w = words.value
  const [name, setName] = useState(device.name ?? '')
  const [horse, setHorse] = useState(device.horse?.id ?? '')
  const { isBusy, problem, run } = useAction()
  const isRenamed = name.trim() !== (device.name ?? '') && name.trim() !== ''
  const isMoved = horse !== (device.horse?.id ?? '')
  async function save(schedule?: Assign['schedule']): Promise<void> {
    const isDone = await run(async () => {
      if (isMoved) {
        const body: Assign = { horse: horse === '' ? null : horse, ...(schedule && { schedule }) }
        await put(`${path}/assignment`, body)
      }
      if (isRenamed) await patch(path, { name: name.trim() })
    })
    await refresh((each) => each === path || each.startsWith('/devices') || each.endsWith('/horses'))
    if (isDone) toast(w.act.saved)
  }
  return (
    <Card title={a.device.assign}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save().catch(() => undefined)
        }}
      >
        <Field
          label={a.device.rename}
          maxLength={64}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        {(device.kind === 'feeder' || device.kind === 'camera') && (
          <div class="stack close">
            <HorseSelect
              label={a.device.horse}
              none={a.device.none}
              kind={device.kind}
              value={horse}
              onPick={setHorse}
            />
            <p class="help">{a.device.assignHelp}</p>
          </div>
        )}
        {problem &&
          (problem.fields['reason'] === 'has-schedule' ? (
            <Note tone="warn" role="alert" title={a.device.hasSchedule}>
              <div class="row">
                <Button onClick={() => void save('clear')}>{a.device.clearSchedule}</Button>
                <Button onClick={() => void save('keep')}>{a.device.keepSchedule}</Button>
              </div>
            </Note>
          ) : typeof problem.fields['thing'] === 'string' ? (
            <Note tone="bad">{a.device.horseTaken(problem.fields['thing'])}</Note>
          ) : (
            <Failure problem={problem} />
          ))}
        <div>
          <Button type="submit" look="primary" isBusy={isBusy} disabled={!isRenamed && !isMoved}>
            {w.act.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function Access({ device, path }: { device: Device; path: string }) {
  const a = adminWords.value
  const w = words.value
  const [asking, setAsking] = useState<'revoke' | 'replace'>()
  const [made, setMade] = useState<Registered>()
  const { isBusy, problem, run } = useAction()
  const isOff = device.standing === 'disabled'
  async function act(what: 'disable' | 'enable' | 'revoke'): Promise<void> {
    await run(async () => {
      const answer = await post<Device | undefined>(`${path}/${what}`)
      if (answer?.thing === device.thing) keep(path, answer)
    })
    setAsking(undefined)
    await refresh((each) => each === path || each === '/devices')
  }
  async function replace(): Promise<void> {
    await run(async () => setMade(await post<Registered>(`${path}/replace`)))
    setAsking(undefined)
    await refresh((each) => each === path || each === '/devices')
  }
  return (
    <Card title={a.device.danger}>
      {problem && <Failure problem={problem} />}
      <div class="stack tight">
        <p class="soft small">{a.device.disableHelp}</p>
        <div>
          <Button isBusy={isBusy} onClick={() => void act(isOff ? 'enable' : 'disable')}>
            {isOff ? a.device.enable : a.device.disable}
          </Button>
        </div>
      </div>
      <div class="stack tight">
        <p class="soft small">{a.device.replaceHelp}</p>
        <div>
          <Button icon="refresh" onClick={() => setAsking('replace')}>
            {a.device.replace}
          </Button>
        </div>
      </div>
      <div class="stack tight">
        <p class="soft small">{a.device.revokeHelp}</p>
        <div>
          <Button look="danger" onClick={() => setAsking('revoke')}>
            {a.device.revoke}
          </Button>
        </div>
      </div>
      {asking && (
        <Dialog
          title={
            asking === 'revoke' ? a.device.revokeConfirm(device.thing) : a.device.replaceConfirm(device.thing)
          }
          onClose={() => setAsking(undefined)}
        >
          <p>{asking === 'revoke' ? a.device.revokeHelp : a.device.replaceHelp}</p>
          <div class="actions">
            <Button onClick={() => setAsking(undefined)}>{w.act.cancel}</Button>
            <Button
              look="danger"
              isBusy={isBusy}
              onClick={() => void (asking === 'revoke' ? act('revoke') : replace())}
            >
              {asking === 'revoke' ? a.device.revoke : a.device.replace}
            </Button>
          </div>
        </Dialog>
      )}
      {made && (
        <Dialog title={made.device.thing} onClose={() => setMade(undefined)}>
          <Downloads thing={made.device.thing} download={made.download} />
        </Dialog>
      )}
    </Card>
  )
}
