import type { Horse } from '@pesebre/contract/api/horse'
import { useState } from 'preact/hooks'
import { words } from '../words/language.ts'

const COATS = 5

/** The picture of a horse, or a drawn head in a coat of its own. The box has its size before anything is loaded. */
export function HorsePicture({
  horse,
  size,
}: {
  horse: Pick<Horse, 'id' | 'name' | 'pictureAt'>
  size: 'card' | 'full'
}) {
  const [failed, setFailed] = useState<number>()
  const { id, name, pictureAt } = horse
  if (pictureAt === null || failed === pictureAt) return <Drawn coat={coatOf(id)} />
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

function Drawn({ coat }: { coat: number }) {
  return (
    <span class={`picture no-picture coat-${coat}`}>
      <svg viewBox="6 4 52 42" preserveAspectRatio="xMidYMax meet" aria-hidden="true">
        <path d="M27.5 9.5c1.8 2.2 3.5 4.3 4.6 6.6 6.8.9 12.7 4.7 15.8 11.1 2.2 4.6 3.6 10.4 4.1 19.8H31.7c.5-6.2-.6-9.3-3.4-11.3-1.6 1.8-4 2.7-6.6 3.3-1.7 1.9-3.7 3.6-6 3.7-2.6.1-4.4-1.6-4.5-4-.1-2.1.9-3.9 2-6.1 1.9-3.7 3.6-7.1 5.3-9.8 1.6-2.6 3.9-4.5 6.2-5.8.4-2.6 1.3-5.2 2.8-7.500Z" />
      </svg>
    </span>
  )
}

/** The same horse has always the same coat. */
function coatOf(id: string): number {
  return [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % COATS
}
