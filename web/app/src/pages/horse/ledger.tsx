/** Every portion that was ever asked for, the newest first, with all its states. */
import type { Feed, FeedPage } from '@pesebre/contract/api/feed'
import { useState } from 'preact/hooks'
import { change, refresh, useData } from '../../data/cache.ts'
import { get } from '../../data/client.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/controls.tsx'
import { Empty, Failure, Show, Skeleton } from '../../ui/surfaces.tsx'
import { When } from '../../ui/time.tsx'
import { explain, sayAsker } from '../../words/feeds.ts'
import { grams } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { States, StateTag } from './feed-progress.tsx'

export function Ledger({ horse, zone }: { horse: { id: string }; zone: string }) {
  const w = words.value
  const path = `/horses/${horse.id}/feeds`
  const loaded = useData<FeedPage>(path)
  const { isBusy, problem, run } = useAction()
  async function more(before: string): Promise<void> {
    const older = await get<FeedPage>(`${path}?before=${encodeURIComponent(before)}`)
    change<FeedPage>(path, (page) => ({ ...older, feeds: [...page.feeds, ...older.feeds] }))
  }
  return (
    <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={6} />}>
      {({ feeds, before }) =>
        feeds.length === 0 ? (
          <Empty icon="clock" title={w.horse.ledgerEmpty}>
            {w.horse.ledgerEmptyHelp}
          </Empty>
        ) : (
          <div class="stack">
            <ul class="ledger">
              {feeds.map((feed) => (
                <Row key={feed.id} feed={feed} zone={zone} />
              ))}
            </ul>
            {problem && <Failure problem={problem} />}
            {before !== undefined && (
              <Button isBusy={isBusy} onClick={() => void run(() => more(before))}>
                {w.act.more}
              </Button>
            )}
          </div>
        )
      }
    </Show>
  )
}

function Row({ feed, zone }: { feed: Feed; zone: string }) {
  const w = words.value
  const [isOpen, setOpen] = useState(false)
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="ledger-when">
            <When at={feed.at} zone={zone} />
          </span>
          <span class="ledger-what">
            {feed.planned !== undefined && <strong>{grams(language.value, feed.planned)}</strong>}
            <span class="soft small"> {sayAsker(w, feed)}</span>
          </span>
          <StateTag feed={feed} />
        </summary>
        {isOpen && (
          <div class="stack tight ledger-more">
            <p class="small">{explain(w, feed)}</p>
            <States feed={feed} zone={zone} />
          </div>
        )}
      </details>
    </li>
  )
}
