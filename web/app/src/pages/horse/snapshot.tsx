/** The camera's last picture, with its age: a look without starting a stream. */
import type { Horse } from '@pesebre/contract/api/horse'
import { useEffect, useState } from 'preact/hooks'
import { now } from '../../data/clock.ts'
import { Button, ButtonLink } from '../../ui/controls.tsx'
import { Card } from '../../ui/surfaces.tsx'
import { ago } from '../../words/format.ts'
import { language, words } from '../../words/language.ts'

type Taken = { url: string; at: number }

/** One picture of the camera, not older than `maxAge` seconds if it answers. Undefined: there is none. */
export function useSnapshot(
  horse: string,
  maxAge: number,
): { taken: Taken | undefined; isBusy: boolean; again: () => void } {
  const [taken, setTaken] = useState<Taken>()
  const [isBusy, setBusy] = useState(true)
  const [count, setCount] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    setBusy(true)
    load(horse, count === 0 ? maxAge : 0, stop.signal)
      .then((next) => {
        if (!stop.signal.aborted && next !== undefined) setTaken(next)
      })
      .catch(() => undefined)
      .finally(() => {
        if (!stop.signal.aborted) setBusy(false)
      })
    return () => stop.abort()
  }, [horse, count, maxAge])
  // What is no longer shown need not be kept.
  useEffect(() => () => (taken === undefined ? undefined : URL.revokeObjectURL(taken.url)), [taken])
  return { taken, isBusy, again: () => setCount(count + 1) }
}

async function load(horse: string, maxAge: number, signal: AbortSignal): Promise<Taken | undefined> {
  const answer = await fetch(`/api/horses/${horse}/snapshot?maxAge=${maxAge}`, {
    signal,
    credentials: 'same-origin',
  })
  if (!answer.ok) return undefined
  const at = Number(answer.headers.get('x-picture-at') ?? Date.now())
  return { url: URL.createObjectURL(await answer.blob()), at }
}

export function Snapshot({ horse }: { horse: Horse }) {
  const w = words.value
  const { taken, isBusy, again } = useSnapshot(horse.id, 300)
  return (
    <Card
      title={w.horse.camera}
      actions={
        <Button look="quiet" icon="refresh" isBusy={isBusy} onClick={again}>
          {w.camera.fresh}
        </Button>
      }
    >
      <div class="stack tight">
        <div class="screen">
          {taken ? (
            <img src={taken.url} alt={w.camera.alt(horse.name)} />
          ) : (
            <p>{isBusy ? w.camera.connecting : w.camera.noPicture}</p>
          )}
        </div>
        <div class="row spread">
          <span class="soft small">
            {taken && w.camera.taken(ago(language.value, w, { at: taken.at, now: now.value }))}
          </span>
          <ButtonLink href={`/horses/${horse.id}/camera`} icon="play">
            {w.camera.watch}
          </ButtonLink>
        </div>
      </div>
    </Card>
  )
}
