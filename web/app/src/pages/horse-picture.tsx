import type { Horse } from '@pesebre/contract/api/horse'
import { useState } from 'preact/hooks'
import { words } from '../words/language.ts'

/** The picture of a horse, or its initial where there is none. The box has its size before anything is loaded. */
export function HorsePicture({
  horse,
  size,
}: {
  horse: Pick<Horse, 'id' | 'name' | 'pictureAt'>
  size: 'card' | 'full'
}) {
  const [failed, setFailed] = useState<number>()
  const { id, name, pictureAt } = horse
  if (pictureAt === null || failed === pictureAt)
    return (
      <span class="picture no-picture" aria-hidden="true">
        {name.slice(0, 1)}
      </span>
    )
  return (
    <img
      class="picture"
      src={`/api/horses/${id}/picture?size=${size}&v=${pictureAt}`}
      alt={words.value.card.picture(name)}
      decoding="async"
      onError={() => setFailed(pictureAt)}
    />
  )
}
