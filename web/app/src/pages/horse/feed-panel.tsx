/** Feed now: an amount, hold to confirm, and then what becomes of it, by the feeder's own words. */
import type { Feed, FeedPage, LimitsAnswer } from '@pesebre/contract/api/feed'
import { useEffect, useId, useState } from 'preact/hooks'
import { change, refresh, useData } from '../../data/cache.ts'
import { Problem, post, remove } from '../../data/client.ts'
import { instant } from '../../data/clock.ts'
import { withFeed } from '../../data/merge.ts'
import { isOwner, mayFeed } from '../../data/session.ts'
import { useAction } from '../../ui/action.ts'
import { Button, Check } from '../../ui/controls.tsx'
import { HoldButton } from '../../ui/hold-button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card, Dialog, Empty, Failure, Note } from '../../ui/surfaces.tsx'
import { toast } from '../../ui/toast.tsx'
import { grams } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'
import { AmountStepper, presetsFor } from './amount.tsx'
import { FeedProgress } from './feed-progress.tsx'
import type { SectionProps } from './horse.tsx'

/** An order that ended is shown above the button for so long, milliseconds. */
const SHOWN_MS = 10 * 60_000

export function FeedPanel({ horse, card, role, zone }: SectionProps) {
  const w = words.value
  const path = `/horses/${horse.id}/feeds`
  const { data: page } = useData<FeedPage>(path)
  const { data: limits } = useData<LimitsAnswer>(
    horse.feeder === null ? undefined : `/horses/${horse.id}/limits`,
  )
  const current = useCurrent(page, horse.id)
  if (horse.feeder === null)
    return (
      <Card title={w.feed.title}>
        <Empty icon="feeder" title={w.card.noFeeder}>
          {w.card.noFeederHelp}
        </Empty>
      </Card>
    )
  const isOpen = current !== undefined && !current.ended
  return (
    <Card title={w.feed.title} class="feed-panel">
      {current && (
        <FeedProgress
          feed={current}
          feeder={card?.feeder ?? undefined}
          zone={zone}
          {...(mayFeed(role) && { onTakeBack: () => takeBack(horse.id, current) })}
        />
      )}
      {!mayFeed(role) ? (
        <Note>{w.feed.notAllowed}</Note>
      ) : (
        !isOpen && <Order horse={horse} card={card} role={role} zone={zone} limits={limits} />
      )}
    </Card>
  )
}

/** The newest order of a person, while it is open and some minutes after. */
function useCurrent(page: FeedPage | undefined, horse: string): Feed | undefined {
  const newest = page?.feeds.find(({ source }) => source === 'command')
  const [hidden, setHidden] = useState<string>()
  const last = newest?.states.at(-1)?.at ?? newest?.at ?? 0
  const isShown = newest !== undefined && (!newest.ended || instant() - last < SHOWN_MS)
  useEffect(() => {
    if (!isShown || newest === undefined || !newest.ended) return
    const timer = setTimeout(() => setHidden(newest.id), Math.max(0, last + SHOWN_MS - instant()))
    return () => clearTimeout(timer)
  }, [isShown, newest?.id, newest?.ended, last, horse])
  return isShown && newest.id !== hidden ? newest : undefined
}

async function takeBack(horse: string, feed: Feed): Promise<void> {
  try {
    await remove(`/horses/${horse}/feeds/${feed.n}`)
    toast(words.peek().feed.takenBack)
  } finally {
    await refresh(`/horses/${horse}/feeds`)
  }
}

function Order({ horse, role, limits }: SectionProps & { limits: LimitsAnswer | undefined }) {
  const w = words.value
  const [chosen, setAmount] = useState<number>()
  const [isAsking, setAsking] = useState(false)
  const [isOverriding, setOverriding] = useState(false)
  const { isBusy, problem, run, clear } = useAction()
  const helpId = useId()
  const max = limits?.portion ?? 500
  const amount = chosen ?? Math.min(500, max)
  const isOver = limits !== undefined && amount > limits.portion
  const say = (g: number) => grams(language.value, g)
  const isAllowed = amount > 0 && (!isOver || (isOwner(role) && isOverriding))

  async function feed(): Promise<void> {
    setAsking(false)
    // One key for one intention: what is sent again because of a bad network is the same order.
    const key = crypto.randomUUID()
    await run(async () => {
      const made = await sendSurely(`/horses/${horse.id}/feeds`, key, {
        grams: amount,
        ...(isOver && isOverriding && { override: true }),
      })
      change<FeedPage>(`/horses/${horse.id}/feeds`, (page) => withFeed(page, made))
      setOverriding(false)
    })
    await refresh((path) => path === `/horses/${horse.id}/limits` || path === `/horses/${horse.id}/feeds`)
  }
  const start = () => void feed().catch(() => undefined)
  return (
    <div class="stack">
      <AmountStepper
        value={amount}
        presets={presetsFor(max)}
        onChange={(value) => {
          clear()
          setAmount(value)
        }}
      />
      {limits && <p class="soft small">{w.feed.limit(say(limits.portion), say(limits.left))}</p>}
      {isOver &&
        (isOwner(role) ? (
          <Note tone="warn">
            <Check
              label={w.feed.override(say(limits.portion))}
              isOn={isOverriding}
              onChange={setOverriding}
            />
            <p class="small">{w.feed.overrideHelp}</p>
          </Note>
        ) : (
          <Note tone="warn">{w.feed.over(say(limits.portion))}</Note>
        ))}
      {problem && <Failure problem={problem} />}
      <div class="stack tight">
        <HoldButton
          disabled={isBusy || !isAllowed}
          describedBy={helpId}
          heldText={w.feed.holdOn}
          onHeld={start}
          onAsk={() => setAsking(true)}
        >
          <Icon name="hand" size={22} />
          {isBusy ? w.feed.sending : w.feed.hold(say(amount))}
        </HoldButton>
        <p class="soft small" id={helpId}>
          {w.feed.holdHelp}
        </p>
      </div>
      {isAsking && (
        <Dialog title={w.feed.confirmTitle(horse.name, say(amount))} onClose={() => setAsking(false)}>
          <p>{w.feed.daily}</p>
          <div class="actions">
            <Button onClick={() => setAsking(false)}>{w.act.cancel}</Button>
            <Button look="primary" onClick={start}>
              {w.feed.confirm(say(amount))}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}

const TRIES_MAX = 4

/**
 * Sends an order; again under the same key when no answer came, or when the server is still at the first one: it makes one order
 * of all.
 */
async function sendSurely(path: string, key: string, body: object): Promise<Feed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await post<Feed>(path, body, { 'idempotency-key': key })
    } catch (error) {
      if (!(error instanceof Problem) || attempt === TRIES_MAX) throw error
      const { kind, status, fields } = error
      const isRunning =
        status === 409 && fields['reason'] === undefined && typeof fields['retryAfter'] === 'number'
      if (kind !== 'network' && !isRunning) throw error
      await new Promise((done) => setTimeout(done, 1000 * (isRunning ? Number(fields['retryAfter']) : 1)))
    }
  }
}
