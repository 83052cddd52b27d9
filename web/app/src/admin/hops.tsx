/** The operator's page: where a report is stuck, if it is. */
import type { HopStatus, Hops } from '@pesebre/contract/api/hop'
import type { HopState } from '@pesebre/contract/hops'
import { refresh, useData } from '../data/cache.ts'
import { useWatch } from '../data/live.ts'
import { Button } from '../ui/controls.tsx'
import { Note, PageHeader, Show, Skeleton, Tag } from '../ui/surfaces.tsx'
import { Ago } from '../ui/time.tsx'
import type { Tone } from '../ui/tone.ts'
import { number, span } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import { AdminTabs } from './tabs.tsx'
import { adminWords } from './words.ts'
import './admin.css'

const PATH = '/hops'
const TONES: Record<HopState, Tone> = { ok: 'good', slow: 'warn', broken: 'bad', unknown: 'neutral' }
const WAY: readonly string[] = ['gateway', 'journal', 'queue', 'bridge', 'shadow']

export function HopsPage() {
  const a = adminWords.value
  const loaded = useData<Hops>(PATH)
  useWatch({ hops: true })
  return (
    <>
      <AdminTabs />
      <PageHeader
        title={a.hops.title}
        lead={a.hops.lead}
        actions={
          <Button icon="refresh" isBusy={loaded.isLoading} onClick={() => void refresh(PATH)}>
            {words.value.act.retry}
          </Button>
        }
      />
      <Show loaded={loaded} onRetry={() => void refresh(PATH)} bones={<Skeleton lines={8} height="5rem" />}>
        {({ hops, broken }) => (
          <div class="stack wide">
            <Note tone={broken === null ? 'good' : 'bad'} role="status">
              {broken === null ? a.hops.allWell : a.hops.broken(a.hop[broken])}
            </Note>
            <div class="columns-2">
              <Group title={a.hops.way} hops={hops.filter(({ hop }) => WAY.includes(hop))} />
              <Group title={a.hops.services} hops={hops.filter(({ hop }) => !WAY.includes(hop))} />
            </div>
          </div>
        )}
      </Show>
    </>
  )
}

function Group({ title, hops }: { title: string; hops: readonly HopStatus[] }) {
  return (
    <section class="stack">
      <h2>{title}</h2>
      <ol class="hops">
        {hops.map((hop) => (
          <Hop key={`${hop.hop}${hop.id}`} status={hop} />
        ))}
      </ol>
    </section>
  )
}

function Hop({ status }: { status: HopStatus }) {
  const a = adminWords.value
  const w = words.value
  const { hop, id, state, note, ms, depth, age, at, since } = status
  return (
    <li class={`hop ${state}`}>
      <h3>
        {a.hop[hop]}
        {id !== '' && <span class="soft"> {id}</span>}
      </h3>
      <Tag tone={TONES[state]}>{a.hopState[state]}</Tag>
      <p class="note-text" lang="en">
        {note}
      </p>
      <p class="hop-facts soft small">
        {depth !== undefined && (
          <span>
            {number(language.value, depth)} {a.hops.waits}
          </span>
        )}
        {age !== undefined && age > 0 && (
          <span>
            {a.hops.oldest} {span(w, age)}
          </span>
        )}
        {ms !== undefined && <span>{number(language.value, ms)} ms</span>}
        <span>
          {a.hops.since} <Ago at={since} />
        </span>
        <span>
          {a.hops.looked} <Ago at={at} />
        </span>
      </p>
    </li>
  )
}
