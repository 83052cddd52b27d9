/** Every device, the most troubled first, live. */
import type { Device, DeviceStanding, Fleet, FleetNumbers } from '@pesebre/contract/api/device'
import { useEffect, useState } from 'preact/hooks'
import { refresh, useData } from '../data/cache.ts'
import { useWatch } from '../data/live.ts'
import { DEVICE_STANDINGS } from '../data/standings.ts'
import { ButtonLink, Field, Select } from '../ui/controls.tsx'
import { Empty, PageHeader, Show, Skeleton } from '../ui/surfaces.tsx'
import { Ago } from '../ui/time.tsx'
import { number } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import { sayReport } from './report.ts'
import { StandingTag } from './standing.tsx'
import { AdminTabs } from './tabs.tsx'
import { adminWords } from './words.ts'
import './admin.css'

const KINDS = ['feeder', 'camera', 'waterer', 'sensor'] as const
const SEARCH_AFTER_MS = 250

export function FleetPage() {
  const a = adminWords.value
  const [search, setSearch] = useState('')
  const [asked, setAsked] = useState('')
  const [kind, setKind] = useState('')
  const [standing, setStanding] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setAsked(search.trim()), SEARCH_AFTER_MS)
    return () => clearTimeout(timer)
  }, [search])
  const query = new URLSearchParams({
    ...(asked !== '' && { search: asked }),
    ...(kind !== '' && { kind }),
    ...(standing !== '' && { standing }),
  }).toString()
  const path = query === '' ? '/devices' : `/devices?${query}`
  const loaded = useData<Fleet>(path)
  useWatch({ fleet: true })
  const isFiltered = query !== ''
  return (
    <>
      <AdminTabs />
      <PageHeader
        title={a.fleet.title}
        lead={loaded.data && a.fleet.shown(loaded.data.devices.length, loaded.data.total)}
        actions={
          <ButtonLink href="/admin/devices/new" look="primary" icon="plus">
            {a.fleet.register}
          </ButtonLink>
        }
      />
      <div class="stack wide">
        {loaded.data && <Numbers numbers={loaded.data.numbers} />}
        <div class="filters">
          <Field
            label={a.fleet.search}
            type="search"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
          <Select
            label={a.device.kind}
            value={kind}
            options={[
              { value: '', label: a.fleet.allKinds },
              ...KINDS.map((value) => ({ value, label: a.kind[value] })),
            ]}
            onPick={setKind}
          />
          <Select
            label={a.fleet.state}
            value={standing}
            options={[
              { value: '', label: a.fleet.allStandings },
              ...DEVICE_STANDINGS.map((value: DeviceStanding) => ({ value, label: a.standing[value] })),
            ]}
            onPick={setStanding}
          />
        </div>
        <Show
          loaded={loaded}
          onRetry={() => void refresh(path)}
          bones={<Skeleton lines={8} height="3.5rem" />}
        >
          {({ devices }) =>
            devices.length === 0 ? (
              <Empty icon="device" title={isFiltered ? a.fleet.nothing : a.fleet.empty}>
                {isFiltered ? undefined : a.fleet.emptyHelp}
              </Empty>
            ) : (
              <List devices={devices} />
            )
          }
        </Show>
      </div>
    </>
  )
}

function Numbers({ numbers }: { numbers: FleetNumbers }) {
  const a = adminWords.value
  const say = (value: number | null | undefined) =>
    value == null ? a.fleet.notSet : number(language.value, value)
  const total = Object.values(numbers.devices).reduce((sum, count) => sum + count, 0)
  const shown = [
    [a.fleet.total, say(total)],
    [a.fleet.received, say(numbers.reports)],
    [a.fleet.perMinute, say(numbers.perMinute)],
    [a.fleet.archived, say(numbers.archived?.reports)],
  ] as const
  return (
    <dl class="numbers" aria-label={a.fleet.numbers}>
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function List({ devices }: { devices: readonly Device[] }) {
  return (
    <ul class="devices">
      {devices.map((device) => (
        <Row key={device.thing} device={device} />
      ))}
    </ul>
  )
}

function Row({ device }: { device: Device }) {
  const w = words.value
  const a = adminWords.value
  const { thing, name, standing, horse, stable, at, state, alarms, isRegistered, count } = device
  const alarmNames = alarms.map((kind) => (w.alarm.kind as Record<string, string>)[kind] ?? kind)
  return (
    <li>
      <div class="device-name">
        <a href={`/admin/devices/${thing}`}>{name ?? thing}</a>
        <span class="soft small block">
          {name !== null && <code>{thing}</code>}
          {!isRegistered && ` ${a.fleet.unregistered}`}
        </span>
      </div>
      <div class="device-standing stack close">
        <div>
          <StandingTag standing={standing} />
        </div>
        {alarmNames.length > 0 && <span class="small">{alarmNames.join(', ')}</span>}
      </div>
      <div class="device-where small">
        {horse ? (
          <>
            {horse.name}
            {stable && <span class="soft block">{stable.name}</span>}
          </>
        ) : (
          <span class="soft">{a.fleet.notAssigned}</span>
        )}
      </div>
      <div class="device-report small">
        {state ? sayReport(language.value, words.value, state) : <span class="soft">–</span>}
      </div>
      <div class="device-at small">
        {at === null ? <span class="soft">{w.presence.never}</span> : <Ago at={at} />}
        {count && (
          <span class="soft block">
            {number(language.value, count.reports)} {a.fleet.reports.toLowerCase()}
          </span>
        )}
      </div>
    </li>
  )
}
