/** A horse: its sections share the header, and load what they need when they are opened. */
import type { Horse, HorseCard } from '@pesebre/contract/api/horse'
import type { StableRole } from '@pesebre/contract/api/stable'
import { Suspense } from 'preact/compat'
import { useEffect } from 'preact/hooks'
import { lazy, useRoute } from 'preact-iso'
import { refresh, useData } from '../../data/cache.ts'
import { now } from '../../data/clock.ts'
import { useWatch } from '../../data/live.ts'
import { chooseStable, roleIn, session } from '../../data/session.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Failure, Note, PageHeader, Skeleton, Tag } from '../../ui/surfaces.tsx'
import { language, words } from '../../words/language.ts'
import { sayFeeder, sayPresence } from '../../words/presence.ts'
import { HorsePicture } from '../horse-picture.tsx'
import { NotFound } from '../not-found.tsx'
import { Today } from './today.tsx'
import './horse.css'

const HistorySection = lazy(() => import('./history.tsx').then(({ HistorySection }) => HistorySection))
const CameraSection = lazy(() => import('./camera.tsx').then(({ CameraSection }) => CameraSection))
const ScheduleSection = lazy(() => import('./schedule.tsx').then(({ ScheduleSection }) => ScheduleSection))
const SettingsSection = lazy(() => import('./settings.tsx').then(({ SettingsSection }) => SettingsSection))

/** What every section gets. */
export type SectionProps = {
  horse: Horse
  /** Undefined until it was read: what the feeder and the camera are at. */
  card: HorseCard | undefined
  role: StableRole | undefined
  zone: string
}

const SECTIONS = ['today', 'history', 'camera', 'schedule', 'settings'] as const
const ICONS: Record<(typeof SECTIONS)[number], IconName> = {
  today: 'today',
  history: 'chart',
  camera: 'camera',
  schedule: 'calendar',
  settings: 'sliders',
}

export function HorsePage() {
  const { params } = useRoute()
  const id = params['horse'] ?? ''
  const section = SECTIONS.find((each) => each === (params['section'] || 'today'))
  const path = `/horses/${id}`
  const { data: horse, error } = useData<Horse>(path)
  const stable = horse?.stable
  const cards = useData<HorseCard[]>(stable === undefined ? undefined : `/stables/${stable}/horses`)
  const card = cards.data?.find(({ horse: each }) => each.id === id)
  useWatch({
    stables: stable === undefined ? [] : [stable],
    things: [card?.feeder?.thing, card?.camera?.thing].filter((thing) => thing !== undefined),
  })
  useEffect(() => {
    if (stable !== undefined) chooseStable(stable)
  }, [stable])
  if (section === undefined || error?.status === 404) return <NotFound />
  if (horse === undefined)
    return error ? <Failure problem={error} onRetry={() => void refresh(path)} /> : <Bones />
  const zone =
    session.value?.stables.find((each) => each.id === stable)?.zone ??
    Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <div class="horse">
      <HorseHeader horse={horse} card={card} />
      <Sections id={id} current={section} />
      <Suspense fallback={<Skeleton lines={6} />}>
        <Section name={section} horse={horse} card={card} role={roleIn(stable)} zone={zone} />
      </Suspense>
    </div>
  )
}

function Section({ name, ...props }: SectionProps & { name: (typeof SECTIONS)[number] }) {
  if (name === 'history') return <HistorySection {...props} />
  if (name === 'camera') return <CameraSection {...props} />
  if (name === 'schedule') return <ScheduleSection {...props} />
  if (name === 'settings') return <SettingsSection {...props} />
  return <Today {...props} />
}

function HorseHeader({ horse, card }: { horse: Horse; card: HorseCard | undefined }) {
  const w = words.value
  const feeder = card?.feeder
  const said = feeder && sayFeeder(w, feeder.state)
  const stable = session.value?.stables.find(({ id }) => id === horse.stable)
  return (
    <>
      <div class="horse-head">
        <div class="horse-photo">
          <HorsePicture horse={horse} size="card" />
        </div>
        <PageHeader
          title={horse.name}
          back={{ href: `/stables/${horse.stable}`, label: stable?.name ?? w.nav.stable }}
          lead={
            <div class="row tight">
              {said ? <Tag tone={said.tone}>{said.text}</Tag> : card && <Tag>{w.card.noFeeder}</Tag>}
              {feeder && <span class="small">{sayPresence(language.value, w, feeder, now.value)}</span>}
            </div>
          }
        />
      </div>
      {card && card.alarms.length > 0 && (
        <a class="horse-alarms" href={`/stables/${horse.stable}/alarms`}>
          <Note tone="bad" title={card.alarms.map(({ kind }) => alarmName(kind)).join(', ')}>
            {alarmHelp(card.alarms[0]!.kind)}
          </Note>
        </a>
      )}
    </>
  )
}

function alarmName(kind: string): string {
  const names: Record<string, string> = words.value.alarm.kind
  return names[kind] ?? kind
}

function alarmHelp(kind: string): string {
  const helps: Record<string, string> = words.value.alarm.help
  return helps[kind] ?? ''
}

function Sections({ id, current }: { id: string; current: (typeof SECTIONS)[number] }) {
  const w = words.value
  return (
    <nav class="sections" aria-label={w.horse.sections}>
      <ul>
        {SECTIONS.map((section) => (
          <li key={section}>
            <a
              href={section === 'today' ? `/horses/${id}` : `/horses/${id}/${section}`}
              aria-current={section === current ? 'page' : undefined}
            >
              <Icon name={ICONS[section]} size={18} />
              {w.horse[section]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Bones() {
  return (
    <div class="horse" aria-busy="true">
      <div class="horse-head">
        <div class="horse-photo skeleton" />
        <Skeleton lines={2} height="2rem" />
      </div>
      <Skeleton lines={8} />
    </div>
  )
}
