import { useState } from 'preact/hooks'
import { refresh } from '../data/cache.ts'
import { post } from '../data/client.ts'
import { chooseStable, readSession } from '../data/session.ts'
import { useAction } from '../ui/action.ts'
import { Button, Field } from '../ui/controls.tsx'
import { Dialog, Failure } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'
import { ZoneField } from './zone-field.tsx'

/** A new stable; who makes it owns it. */
export function MakeStable({ onClose }: { onClose: () => void }) {
  const w = words.value
  const [name, setName] = useState('')
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone)
  const { isBusy, problem, run } = useAction()
  async function submit(): Promise<void> {
    const isDone = await run(async () => {
      const { id } = await post<{ id: string }>('/stables', { name, zone })
      await readSession()
      await refresh('/stables')
      chooseStable(id)
    })
    if (isDone) onClose()
  }
  return (
    <Dialog title={w.stable.make} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          submit().catch(() => undefined)
        }}
      >
        {problem && <Failure problem={problem} />}
        <Field
          label={w.stable.name}
          required
          maxLength={80}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <ZoneField label={w.stable.zone} value={zone} onPick={setZone} />
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
