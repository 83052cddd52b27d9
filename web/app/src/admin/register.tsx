/** Registers a device: what it is, what is flashed, and its first word, live. */
import type { Device, Proposal, Registered, RegisteredKind } from '@pesebre/contract/api/device'
import { useState } from 'preact/hooks'
import { keep, refresh, useData } from '../data/cache.ts'
import { post } from '../data/client.ts'
import { useWatch } from '../data/live.ts'
import { useAction } from '../ui/action.ts'
import { Button, ButtonLink, Choice, Field } from '../ui/controls.tsx'
import { Card, Failure, Note, PageHeader, Show } from '../ui/surfaces.tsx'
import { language, words } from '../words/language.ts'
import { Downloads } from './downloads.tsx'
import { Flash } from './flash.tsx'
import { HorseSelect } from './horse-select.tsx'
import { sayReport } from './report.ts'
import { adminWords } from './words.ts'
import './admin.css'

const KINDS: readonly RegisteredKind[] = ['feeder', 'camera', 'waterer', 'sensor']

export function RegisterPage() {
  const a = adminWords.value
  const [made, setMade] = useState<Registered>()
  return (
    <>
      <PageHeader title={a.register.title} back={{ href: '/admin/devices', label: a.fleet.title }} />
      <div class="stack wide narrow">
        {made === undefined ? (
          <What onMade={setMade} />
        ) : (
          <>
            <Card title={`2 · ${a.register.download}`}>
              <p>
                <strong>{made.device.name ?? made.device.thing}</strong> <code>{made.device.thing}</code>
              </p>
              <Downloads thing={made.device.thing} download={made.download} />
            </Card>
            <Flash kind={made.device.kind} />
            <Contact registered={made.device} onAnother={() => setMade(undefined)} />
          </>
        )}
      </div>
    </>
  )
}

function What({ onMade }: { onMade: (made: Registered) => void }) {
  const a = adminWords.value
  const [kind, setKind] = useState<RegisteredKind>('feeder')
  const [name, setName] = useState('')
  const [horse, setHorse] = useState('')
  const path = `/devices/proposal?kind=${kind}`
  const proposal = useData<Proposal>(path)
  const { isBusy, problem, run } = useAction()
  async function submit(thing: string): Promise<void> {
    const isDone = await run(async () => {
      const made = await post<Registered>('/devices', {
        kind,
        thing,
        ...(name.trim() !== '' && { name: name.trim() }),
        ...(horse !== '' && { horse }),
      })
      keep(`/devices/${made.device.thing}`, made.device)
      onMade(made)
    })
    // The name is taken now, or was: the next proposal must be another one.
    if (isDone || problem) await refresh(path)
    await refresh('/devices')
  }
  return (
    <Card title={`1 · ${a.register.what}`}>
      <Choice
        label={a.register.kind}
        isLabelShown
        value={kind}
        options={KINDS.map((value) => ({ value, label: a.kind[value] }))}
        onPick={setKind}
      />
      <Show loaded={proposal} onRetry={() => void refresh(path)}>
        {({ thing }) => (
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault()
              submit(thing).catch(() => undefined)
            }}
          >
            <Field label={a.register.thing} help={a.register.thingHelp} readOnly value={thing} />
            <Field
              label={a.register.name}
              maxLength={64}
              value={name}
              onInput={({ currentTarget }) => setName(currentTarget.value)}
            />
            {(kind === 'feeder' || kind === 'camera') && (
              <HorseSelect
                label={a.register.horse}
                none={a.register.noHorse}
                kind={kind}
                value={horse}
                onPick={setHorse}
              />
            )}
            {problem &&
              (typeof problem.fields['thing'] === 'string' ? (
                <Note tone="bad">{a.device.horseTaken(problem.fields['thing'])}</Note>
              ) : (
                <Failure problem={problem} />
              ))}
            <div>
              <Button type="submit" look="primary" isBusy={isBusy}>
                {a.register.submit}
              </Button>
            </div>
          </form>
        )}
      </Show>
    </Card>
  )
}

/** Waits for the first report: the page hears of it by itself. */
function Contact({ registered, onAnother }: { registered: Device; onAnother: () => void }) {
  const a = adminWords.value
  useWatch({ fleet: true, things: [registered.thing] })
  const { data: device = registered } = useData<Device>(`/devices/${registered.thing}`)
  const isHeard = device.at !== null
  return (
    <Card title={`3 · ${a.register.contact}`}>
      <div role="status">
        {isHeard ? (
          <Note tone="good" title={a.register.heard}>
            {device.state && sayReport(language.value, words.value, device.state)}
          </Note>
        ) : (
          <p class="waiting">
            <span class="pulse" aria-hidden="true" />
            {a.register.waiting}
          </p>
        )}
      </div>
      <div class="row">
        <ButtonLink href={`/admin/devices/${registered.thing}`} look={isHeard ? 'primary' : 'plain'}>
          {a.register.goTo}
        </ButtonLink>
        <Button look="quiet" onClick={onAnother}>
          {a.register.another}
        </Button>
      </div>
    </Card>
  )
}
