import type { Horse } from '@pesebre/contract/api/horse'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { refresh } from '../../data/cache.ts'
import { remove } from '../../data/client.ts'
import { useAction } from '../../ui/action.ts'
import { Button } from '../../ui/controls.tsx'
import { Card, Dialog, Failure } from '../../ui/surfaces.tsx'
import { words } from '../../words/language.ts'

export function RemoveCard({ horse }: { horse: Horse }) {
  const w = words.value
  const { route } = useLocation()
  const [isAsking, setAsking] = useState(false)
  const { isBusy, problem, run } = useAction()
  async function go(): Promise<void> {
    const isDone = await run(() => remove(`/horses/${horse.id}`))
    if (!isDone) return
    await refresh(`/stables/${horse.stable}/horses`)
    route(`/stables/${horse.stable}`, true)
  }
  return (
    <Card title={w.danger.removeHorse}>
      <p class="soft small">{w.danger.removeHorseHelp}</p>
      <div>
        <Button look="danger" icon="bin" onClick={() => setAsking(true)}>
          {w.danger.removeHorse}
        </Button>
      </div>
      {isAsking && (
        <Dialog title={w.danger.removeHorseConfirm(horse.name)} onClose={() => setAsking(false)}>
          <p>{w.danger.removeHorseHelp}</p>
          {problem && <Failure problem={problem} />}
          <div class="actions">
            <Button onClick={() => setAsking(false)}>{w.act.cancel}</Button>
            <Button look="danger" isBusy={isBusy} onClick={() => void go()}>
              {w.act.remove}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  )
}
