/** Any horse of any stable, with what it has already. */
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { Stable } from '@pesebre/contract/api/stable'
import { useEffect, useState } from 'preact/hooks'
import { useData } from '../data/cache.ts'
import { get } from '../data/client.ts'
import { Select } from '../ui/controls.tsx'
import { adminWords } from './words.ts'

export function HorseSelect({
  label,
  none,
  kind,
  value,
  onPick,
}: {
  label: string
  /** What it is called to choose none. */
  none: string
  /** Of the device: a horse that has one of this kind says so. */
  kind: string
  value: string
  onPick: (horse: string) => void
}) {
  const a = adminWords.value
  const { data: stables } = useData<Stable[]>('/stables')
  const [cards, setCards] = useState<{ stable: string; card: HorseCard }[]>([])
  useEffect(() => {
    if (stables === undefined) return
    let isOver = false
    Promise.all(
      stables.map(async ({ id, name }) =>
        (await get<HorseCard[]>(`/stables/${id}/horses`)).map((card) => ({ stable: name, card })),
      ),
    )
      .then((lists) => isOver || setCards(lists.flat()))
      .catch(() => undefined)
    return () => {
      isOver = true
    }
  }, [stables])
  const options = cards.map(({ stable, card: { horse } }) => {
    const has = kind === 'camera' ? horse.camera : kind === 'feeder' ? horse.feeder : null
    const taken = has === null ? '' : ` (${a.register.taken(has)})`
    return { value: horse.id, label: `${horse.name} · ${stable}${taken}` }
  })
  return (
    <Select label={label} value={value} options={[{ value: '', label: none }, ...options]} onPick={onPick} />
  )
}
