/** One card per horse: what an owner wants to know at a glance. */
import type { HorseCard } from '@pesebre/contract/api/horse'
import { useEffect, useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { refresh, useData } from '../data/cache.ts'
import { post } from '../data/client.ts'
import { useWatch } from '../data/live.ts'
import { chooseStable, currentStable, isOwner, roleIn } from '../data/session.ts'
import { useAction } from '../ui/action.ts'
import { Button, Field } from '../ui/controls.tsx'
import { Icon } from '../ui/icon.tsx'
import { Dialog, Empty, Failure, PageHeader, Show } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'
import { HorseTile, TileBones } from './horse-tile.tsx'
import { MakeStable } from './make-stable.tsx'
import './stable.css'

export function StablePage() {
  const { params } = useRoute()
  const wanted = params['stable']
  useEffect(() => {
    if (wanted !== undefined) chooseStable(wanted)
  }, [wanted])
  const stable = currentStable.value
  if (stable === undefined) return <NoStable />
  return <Horses key={stable.id} id={stable.id} name={stable.name} zone={stable.zone} />
}

function Horses({ id, name, zone }: { id: string; name: string; zone: string }) {
  const w = words.value
  const path = `/stables/${id}/horses`
  const loaded = useData<HorseCard[]>(path)
  const [isAdding, setAdding] = useState(false)
  useWatch({ stables: [id], things: thingsOf(loaded.data ?? []) })
  const mayAdd = isOwner(roleIn(id))
  const add = mayAdd && (
    <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
      {w.stable.addHorse}
    </Button>
  )
  return (
    <>
      <PageHeader title={name} lead={<Summary cards={loaded.data} />} />
      <Show
        loaded={loaded}
        onRetry={() => void refresh(path)}
        bones={
          <ul class="tiles">
            <TileBones />
            <TileBones />
            <TileBones />
          </ul>
        }
      >
        {(cards) =>
          cards.length === 0 ? (
            <Empty icon="stable" title={w.stable.empty} action={add}>
              {mayAdd ? w.stable.emptyHelp : w.stable.emptyHelpReader}
            </Empty>
          ) : (
            <>
              <ul class="tiles">
                {cards.map((card) => (
                  <HorseTile key={card.horse.id} card={card} zone={zone} />
                ))}
                {mayAdd && (
                  <li class="tile-add">
                    <button type="button" onClick={() => setAdding(true)}>
                      <Icon name="plus" size={28} />
                      {w.stable.addHorse}
                    </button>
                  </li>
                )}
              </ul>
              <p class="soft small daily-look">{w.stable.dailyLook}</p>
            </>
          )
        }
      </Show>
      {isAdding && <AddHorse stable={id} onClose={() => setAdding(false)} />}
    </>
  )
}

function Summary({ cards }: { cards: HorseCard[] | undefined }) {
  const w = words.value
  if (cards === undefined || cards.length === 0) return <>&nbsp;</>
  const count = cards.filter(({ alarms }) => alarms.length > 0).length
  return <>{count === 0 ? w.stable.allWell : w.stable.needsLook(count)}</>
}

function thingsOf(cards: readonly HorseCard[]): string[] {
  return cards
    .flatMap(({ feeder, camera }) => [feeder?.thing, camera?.thing])
    .filter((thing) => thing !== undefined)
}

function AddHorse({ stable, onClose }: { stable: string; onClose: () => void }) {
  const w = words.value
  const [name, setName] = useState('')
  const [weight, setWeight] = useState('')
  const { isBusy, problem, run } = useAction()
  async function submit(): Promise<void> {
    const isDone = await run(async () => {
      await post(`/stables/${stable}/horses`, { name, ...(weight !== '' && { weightKg: Number(weight) }) })
      await refresh(`/stables/${stable}/horses`)
    })
    if (isDone) onClose()
  }
  return (
    <Dialog title={w.stable.addHorse} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          submit().catch(() => undefined)
        }}
      >
        {problem && <Failure problem={problem} />}
        <Field
          label={w.stable.horseName}
          required
          maxLength={80}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <Field
          label={`${w.stable.weight} (${w.act.optional})`}
          help={w.stable.weightHelp}
          type="number"
          inputMode="numeric"
          min={20}
          max={1500}
          unit="kg"
          value={weight}
          onInput={(event) => setWeight(event.currentTarget.value)}
        />
        <div class="actions">
          <Button onClick={onClose}>{w.act.cancel}</Button>
          <Button type="submit" look="primary" isBusy={isBusy}>
            {w.act.add}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function NoStable() {
  const w = words.value
  const [isMaking, setMaking] = useState(false)
  return (
    <>
      <PageHeader title={w.nav.stable} />
      <Empty
        icon="stable"
        title={w.stable.none}
        action={
          <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
            {w.stable.make}
          </Button>
        }
      >
        {w.stable.noneHelp}
      </Empty>
      {isMaking && <MakeStable onClose={() => setMaking(false)} />}
    </>
  )
}
