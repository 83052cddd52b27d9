/** The camera in the HTTP API. Live pictures come over the relay's WebSocket: ../relay.ts, ../frame.ts. */
import Type from 'typebox'
import { CAMERA_STATES } from '../relay.ts'

/** Oldest picture that a snapshot may be, seconds. */
export const SNAPSHOT_AGE_S_MAX = 900
/** The same where nothing is said. */
export const SNAPSHOT_AGE_S = 60

/** GET /api/horses/{horse}/snapshot answers image/jpeg, with `x-picture-at`: when it was taken, epoch milliseconds. */
export const SnapshotQuerySchema = Type.Object(
  {
    /** Seconds, 60 if absent. A picture that is younger is answered at once; else the camera is asked for one. */
    maxAge: Type.Optional(Type.Integer({ minimum: 0, maximum: SNAPSHOT_AGE_S_MAX })),
  },
  { additionalProperties: false },
)
export type SnapshotQuery = Type.Static<typeof SnapshotQuerySchema>

/** A camera on the cards of the stable, and in events of kind `camera` on the live channel. */
export const CameraStatusSchema = Type.Object({
  thing: Type.String(),
  state: Type.Enum(CAMERA_STATES),
  /** Whether it is connected; null while that is not known, after a start of the server. */
  connected: Type.Union([Type.Boolean(), Type.Null()]),
  /** How many watch. */
  viewers: Type.Integer(),
  /** When the last picture came, epoch milliseconds; null: none since the server's start. */
  pictureAt: Type.Union([Type.Integer(), Type.Null()]),
})
export type CameraStatus = Type.Static<typeof CameraStatusSchema>
