/**
 * Pictures of horses. The browser sends the file to the bucket by a form that the server has signed, and then tells the server,
 * which looks at it, makes its own two pictures of it, and keeps nothing else. It is read through the server, which asks each
 * time whether one may: GET /api/horses/{horse}/picture.
 *
 * The bucket is another origin and answers without CORS headers: send the form with `mode: 'no-cors'`, which needs none. The
 * answer to `done` says whether it arrived.
 */
import Type from 'typebox'
import { TimeSchema } from './values.ts'

export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const
export const PICTURE_BYTES_MAX = 10 * 1024 * 1024

/** POST /horses/{horse}/picture */
export const PictureRequestSchema = Type.Object(
  {
    type: Type.Enum([...PICTURE_TYPES]),
    size: Type.Integer({ minimum: 1, maximum: PICTURE_BYTES_MAX }),
  },
  { additionalProperties: false },
)

/** Its answer: a form for `POST` as multipart/form-data, these fields first and `file` last. */
export const PictureFormSchema = Type.Object({
  url: Type.String(),
  fields: Type.Record(Type.String(), Type.String()),
  expires: TimeSchema,
})
export type PictureForm = Type.Static<typeof PictureFormSchema>

/** Of GET /horses/{horse}/picture. `card`: fits into 640 pixels; `full`: into 1600. `v`: `pictureAt` of the horse. */
export const PictureQuerySchema = Type.Object(
  { size: Type.Optional(Type.Enum(['card', 'full'])), v: Type.Optional(Type.Integer()) },
  { additionalProperties: false },
)
