/** Puts a picture into the bucket by a form that the server signed, and tells the server (design/wire.md, pictures). */
import type { Horse } from '@pesebre/contract/api/horse'
import type { PictureForm } from '@pesebre/contract/api/picture'
import { Problem, post } from '../../data/client.ts'

export const PICTURE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp']
export const PICTURE_BYTES_MAX = 10 * 1024 * 1024

/** @returns the horse with its new picture, or what is wrong with the file. @throws Problem when the server refuses */
export async function uploadPicture(horse: string, file: File): Promise<Horse | 'tooLarge' | 'notPicture'> {
  if (!PICTURE_TYPES.includes(file.type)) return 'notPicture'
  if (file.size > PICTURE_BYTES_MAX) return 'tooLarge'
  const { url, fields } = await post<PictureForm>(`/horses/${horse}/picture`, {
    type: file.type,
    size: file.size,
  })
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  // S3 reads nothing that stands after the file.
  body.append('file', file)
  // The bucket is another origin and needs no CORS rules this way; `done` says whether the file has arrived.
  await fetch(url, { method: 'POST', body, mode: 'no-cors' })
  try {
    return await post<Horse>(`/horses/${horse}/picture/done`)
  } catch (error) {
    if (error instanceof Problem && [400, 415, 422].includes(error.status)) return 'notPicture'
    throw error
  }
}
