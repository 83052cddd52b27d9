import type { Cloud } from '../cloud.ts'
import type { Deps } from '../deps.ts'
import { createPictures } from './pictures.ts'
import { bucketOrigin, openPictureStore } from './store.ts'

/** Pictures as the web server has them; nothing where no bucket is set. */
export async function openPictures(
  bucket: string | undefined,
  { live }: Pick<Cloud, 'live'>,
  { db, now, log }: Pick<Deps, 'db' | 'now' | 'log'>,
): Promise<Pick<Deps, 'pictures' | 'pictureOrigins' | 'onHorseChange'>> {
  const onHorseChange: Deps['onHorseChange'] = ({ stable, horse }) =>
    live.publish({ kind: 'horse', stable, horse }, { stable })
  if (bucket === undefined) return { onHorseChange }
  const store = openPictureStore(bucket)
  const pictures = createPictures({ db, store, now }, (error) =>
    log.warn({ err: error }, 'a picture that nobody needs was not deleted'),
  )
  return { onHorseChange, pictures, pictureOrigins: [await bucketOrigin(bucket)] }
}
