/** An order from the tap to its end: every state with its time, the present one in plain words, read out as it changes. */
import type { Feed, FeedState } from '@pesebre/contract/api/feed'
import type { FeederSummary } from '@pesebre/contract/api/horse'
import { instant } from '../../data/clock.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Failure, Tag } from '../../ui/surfaces.tsx'
import { explain, sayState, toneOf } from '../../words/feeds.ts'
import { clock, grams } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'

const WAY: readonly FeedState[] = ['queued', 'sent', 'accepted', 'dispensing', 'done']

export function FeedProgress({
  feed,
  feeder,
  zone,
  onTakeBack,
}: {
  feed: Feed
  feeder: FeederSummary | undefined
  zone: string
  onTakeBack?: () => Promise<void>
}) {
  const w = words.value
  const { isBusy, problem, run } = useAction()
  const tone = toneOf(feed.state)
  const isWaiting = feed.state === 'queued' || feed.state === 'sent'
  const time = (at: number) => clock(language.value, at, { zone })
  const next = feeder?.nextExpected ?? null
  return (
    <div class={`progress ${tone}`}>
      <div role="status" class="stack close">
        <p class="row spread tight">
          <strong>{sayState(language.value, w, feed)}</strong>
          <span class="soft small">
            {feed.planned !== undefined && grams(language.value, feed.planned)}
            {feed.by !== undefined && ` · ${feed.by}`}
          </span>
        </p>
        <p class="small">
          {explain(w, feed)}
          {feed.late && ` (${w.late})`}
        </p>
      </div>
      <States feed={feed} zone={zone} />
      {feed.state === 'queued' && next !== null && next > instant() && feed.notAfter !== undefined && (
        <p class="small soft">{w.feed.waits(time(next), time(feed.notAfter))}</p>
      )}
      {problem && <Failure problem={problem} />}
      {isWaiting && onTakeBack && feed.cancelled !== true && (
        <div>
          <Button icon="cross" isBusy={isBusy} onClick={() => void run(onTakeBack)}>
            {w.feed.takeBack}
          </Button>
        </div>
      )}
    </div>
  )
}

/** The way of an order: what has been, with its times, and what is still to come while it is open. */
export function States({ feed, zone }: { feed: Feed; zone: string }) {
  const w = words.value
  const last = feed.states.at(-1)?.state ?? feed.state
  const still = feed.ended ? [] : WAY.slice(WAY.indexOf(last) + 1)
  return (
    <ol class="way">
      {feed.states.map(({ state, at }, index) => {
        const isNow = index === feed.states.length - 1
        return (
          <li key={`${state}${at}`} class={`${isNow ? 'is-now' : ''} ${isNow ? toneOf(state) : 'good'}`}>
            <Marker state={state} isNow={isNow && !feed.ended} />
            <span>{w.state[state]}</span>
            <time dateTime={new Date(at).toISOString()}>
              {clock(language.value, at, { zone, seconds: true })}
            </time>
          </li>
        )
      })}
      {still.map((state) => (
        <li key={state} class="is-still">
          <span class="marker" aria-hidden="true" />
          <span>{w.state[state]}</span>
        </li>
      ))}
    </ol>
  )
}

function Marker({ state, isNow }: { state: FeedState; isNow: boolean }) {
  const isBad = ['jammed', 'interrupted', 'unknown', 'refused', 'expired', 'cancelled', 'partial'].includes(
    state,
  )
  return (
    <span class="marker" aria-hidden="true">
      {isNow ? null : <Icon name={isBad ? 'cross' : 'check'} size={12} />}
    </span>
  )
}

/** The end of a portion as a tag. */
export function StateTag({ feed }: { feed: Feed }) {
  return <Tag tone={toneOf(feed.state)}>{sayState(language.value, words.value, feed)}</Tag>
}
