/** Devices as the web server's API shows them, and how they are registered (design/wire.md section 7). */
import Type from 'typebox'
import type { KINDS } from '../kid.ts'
import { THING_NAME_PATTERN } from '../names.ts'

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
/** Milliseconds since 1970. */
const Time = Type.Integer({ minimum: 0 })

/** What an admin can register. */
export const REGISTERED_KINDS = [
  'feeder',
  'camera',
  'waterer',
  'sensor',
] as const satisfies (keyof typeof KINDS)[]
export const RegisteredKindSchema = Type.Enum([...REGISTERED_KINDS])
export type RegisteredKind = Type.Static<typeof RegisteredKindSchema>

/**
 * How a device stands, the worst first: the fleet page is in this order.
 * - `alarm`: an alarm is active
 * - `silent`: not heard of for more than ten of its own intervals, `late`: for more than 2.5 (contract/src/presence.ts)
 * - `gateway-down`: it is overdue, but that may be its gateway's doing (contract/src/presence.ts)
 * - `new`: registered, and never heard of
 * - `good`
 * - `disabled`: an admin has stopped it; `revoked`: for good
 */
export const DEVICE_STANDINGS = [
  'alarm',
  'silent',
  'late',
  'gateway-down',
  'new',
  'good',
  'disabled',
  'revoked',
] as const
export type DeviceStanding = (typeof DEVICE_STANDINGS)[number]
const StandingSchema = Type.Enum([...DEVICE_STANDINGS])

export const ThingSchema = Type.String({ pattern: THING_NAME_PATTERN })
const NamedSchema = Type.Object({ id: Type.String(), name: Type.String() })

/** How many reports of a device the archive holds: exact, each (thing, seq) once, and as old as `to`. */
export const ReportCountSchema = Type.Object({ reports: Type.Integer({ minimum: 0 }), to: Time })

export const DeviceSchema = Type.Object({
  thing: ThingSchema,
  /** Thing type name. */
  kind: Type.String(),
  /** false: it was never registered here and only reports (open CoAP, or MQTT straight to AWS IoT). */
  isRegistered: Type.Boolean(),
  speaks: Type.Enum(['coap', 'mqtt']),
  name: Nullable(Type.String()),
  standing: StandingSchema,
  /** Kinds of its active alarms. */
  alarms: Type.Array(Type.String()),
  horse: Nullable(NamedSchema),
  stable: Nullable(NamedSchema),
  created: Nullable(Time),
  /** When its newest report was measured, by the device's own word; never set by a restart of ours. Null: never heard of. */
  at: Nullable(Time),
  /** When it promised to report again, seconds after `at`. */
  interval_s: Nullable(Type.Integer({ minimum: 1 })),
  /** Id of the gateway that took the newest report. */
  gateway: Nullable(Type.String()),
  /** Whether what it says is authenticated: not so of devices of the open CoAP form. */
  isSecure: Type.Boolean(),
  /** Its newest report. */
  state: Nullable(Type.Record(Type.String(), Type.Unknown())),
  count: Nullable(ReportCountSchema),
  /** The thing that took its place. */
  replacedBy: Nullable(Type.String()),
})
export type Device = Type.Static<typeof DeviceSchema>

export const DeviceParamsSchema = Type.Object({ thing: ThingSchema })

/** GET /devices. Sorted by standing, then by name. `search` looks at names of things, devices and horses. */
export const FleetQuerySchema = Type.Object(
  {
    kind: Type.Optional(Type.String()),
    standing: Type.Optional(StandingSchema),
    search: Type.Optional(Type.String({ maxLength: 64 })),
    offset: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  },
  { additionalProperties: false },
)
export type FleetQuery = Type.Static<typeof FleetQuerySchema>

/** GET /fleet/numbers, and the live `numbers`. */
export const FleetNumbersSchema = Type.Object({
  at: Time,
  /** Devices by standing. */
  devices: Type.Record(Type.String(), Type.Integer()),
  /** Reports that the gateways have put on disk since this server began to watch them. Null: no gateway is set. */
  reports: Nullable(Type.Integer()),
  /** Of them, in the last minute. */
  perMinute: Nullable(Type.Integer()),
  /** Reports in the archive, each once; null until the index has seen one. */
  archived: Nullable(ReportCountSchema),
})
export type FleetNumbers = Type.Static<typeof FleetNumbersSchema>

export const FleetSchema = Type.Object({
  devices: Type.Array(DeviceSchema),
  /** How many there are in all, whatever `limit`. */
  total: Type.Integer(),
  numbers: FleetNumbersSchema,
})
export type Fleet = Type.Static<typeof FleetSchema>

/** GET /devices/proposal?kind: a thing name that is free, and whether this browser could flash it. */
export const ProposalQuerySchema = Type.Object({ kind: RegisteredKindSchema })
export const FirmwareSchema = Type.Object({
  version: Type.String(),
  /** Path of a manifest for ESP Web Tools (Web Serial: Chromium browsers, HTTPS or localhost only). */
  manifest: Type.String(),
})
export const ProposalSchema = Type.Object({
  kind: RegisteredKindSchema,
  thing: ThingSchema,
  /** Null: this server holds no firmware of this kind; the page says so. */
  firmware: Nullable(FirmwareSchema),
})
export type Proposal = Type.Static<typeof ProposalSchema>

/** POST /devices. */
export const RegisterSchema = Type.Object(
  {
    kind: RegisteredKindSchema,
    /** As proposed. Absent: the server chooses. */
    thing: Type.Optional(ThingSchema),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    /** The horse that it is for. */
    horse: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)
export type Register = Type.Static<typeof RegisterSchema>

/**
 * What is flashed, and in which forms. Feeders and the like: `json` (for tools), `header` (for C), `qr` (SVG), `zip` (all).
 * Cameras: `zip` (certificate, key, authority, endpoint), `json` (the same in one file).
 */
export const DOWNLOAD_FORMS = ['json', 'header', 'qr', 'zip'] as const
export type DownloadForm = (typeof DOWNLOAD_FORMS)[number]
const FormSchema = Type.Enum([...DOWNLOAD_FORMS])

export const DownloadSchema = Type.Object({
  /** Path without `?form=`. Each form can be fetched once, by the admin who registered it. */
  url: Type.String(),
  token: Type.String(),
  forms: Type.Array(FormSchema),
  /** After this nobody can fetch it: the device must be replaced. */
  expires: Time,
})
export type Download = Type.Static<typeof DownloadSchema>

/** Answer to POST /devices and POST /devices/{thing}/replace. */
export const RegisteredSchema = Type.Object({ device: DeviceSchema, download: DownloadSchema })
export type Registered = Type.Static<typeof RegisteredSchema>

export const CredentialsParamsSchema = Type.Object({
  thing: ThingSchema,
  token: Type.String({ maxLength: 64 }),
})
export const CredentialsQuerySchema = Type.Object({ form: FormSchema })

/**
 * PUT /devices/{thing}/assignment. 409 with `reason` `horse-taken` and `thing` when the horse has another device of this kind; with
 * `has-schedule` when a feeder that runs a schedule goes elsewhere and `schedule` does not say what becomes of it: it would
 * feed another horse what was meant for this one. A device that was registered elsewhere (`pesebre register`) becomes known by it.
 */
export const AssignSchema = Type.Object(
  {
    horse: Nullable(Type.String({ maxLength: 64 })),
    schedule: Type.Optional(Type.Enum(['clear', 'keep'])),
  },
  { additionalProperties: false },
)
export type Assign = Type.Static<typeof AssignSchema>

/** PATCH /devices/{thing}. */
export const RenameSchema = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64 }) },
  { additionalProperties: false },
)
export type Rename = Type.Static<typeof RenameSchema>
