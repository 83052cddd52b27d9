import type { Horse } from '@pesebre/contract/api/horse'
import { useState } from 'preact/hooks'
import { keep, refresh } from '../../data/cache.ts'
import { patch } from '../../data/client.ts'
import { useAction } from '../../ui/action.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Card, Failure } from '../../ui/surfaces.tsx'
import { toast } from '../../ui/toast.tsx'
import { words } from '../../words/language.ts'
import { HorsePicture } from '../horse-picture.tsx'
import { PICTURE_TYPES, uploadPicture } from './upload.ts'

/** Name, weight and picture. */
export function DetailsCard({
  horse,
  mayChange,
  mayPicture,
}: {
  horse: Horse
  mayChange: boolean
  mayPicture: boolean
}) {
  const w = words.value
  const [name, setName] = useState(horse.name)
  const [weight, setWeight] = useState(String(horse.weightKg ?? ''))
  const saving = useAction()
  async function save(): Promise<void> {
    const isDone = await saving.run(async () => {
      const weightKg = weight === '' ? null : Number(weight)
      keep(`/horses/${horse.id}`, await patch<Horse>(`/horses/${horse.id}`, { name, weightKg }))
      await refresh(
        (path) => path === `/stables/${horse.stable}/horses` || path === `/horses/${horse.id}/limits`,
      )
    })
    if (isDone) toast(w.act.saved)
  }
  return (
    <Card title={w.picture.title}>
      <PictureField horse={horse} mayChange={mayPicture} />
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save().catch(() => undefined)
        }}
      >
        <Field
          label={w.stable.horseName}
          required
          maxLength={80}
          disabled={!mayChange}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        <Field
          label={w.stable.weight}
          help={w.stable.weightHelp}
          type="number"
          inputMode="numeric"
          min={20}
          max={1500}
          unit="kg"
          disabled={!mayChange}
          value={weight}
          onInput={({ currentTarget }) => setWeight(currentTarget.value)}
        />
        {saving.problem && <Failure problem={saving.problem} />}
        {mayChange && (
          <div>
            <Button type="submit" look="primary" isBusy={saving.isBusy}>
              {w.act.save}
            </Button>
          </div>
        )}
      </form>
    </Card>
  )
}

function PictureField({ horse, mayChange }: { horse: Horse; mayChange: boolean }) {
  const w = words.value
  const { isBusy, run } = useAction()
  const [fault, setFault] = useState<'tooLarge' | 'notPicture' | 'failed'>()
  async function take(file: File): Promise<void> {
    await run(async () => {
      const result = await uploadPicture(horse.id, file)
      setFault(typeof result === 'string' ? result : undefined)
      if (typeof result !== 'string') {
        keep(`/horses/${horse.id}`, result)
        await refresh(`/stables/${horse.stable}/horses`)
      }
    }).then((isDone) => isDone || setFault('failed'))
  }
  return (
    <div class="stack tight">
      <div class="details-picture">
        <HorsePicture horse={horse} size="full" />
      </div>
      {mayChange && (
        <>
          <label class={`button ${isBusy ? 'is-busy' : ''}`}>
            {isBusy ? w.picture.uploading : horse.pictureAt === null ? w.picture.choose : w.picture.change}
            <input
              class="visually-hidden"
              type="file"
              accept={PICTURE_TYPES.join(',')}
              disabled={isBusy}
              onChange={({ currentTarget }) => {
                const file = currentTarget.files?.[0]
                if (file) void take(file)
                currentTarget.value = ''
              }}
            />
          </label>
          <p class="help">{w.picture.help}</p>
          {fault && (
            <p class="error" role="alert">
              {w.picture[fault]}
            </p>
          )}
        </>
      )}
    </div>
  )
}
