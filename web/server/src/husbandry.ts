import type { FastifyBaseLogger } from 'fastify'
import { openAlarms } from './alarms/alarms.ts'
import { signalsOfFeed } from './alarms/signals.ts'
import { createSweep } from './alarms/sweep.ts'
import type { Relay } from './camera/relay.ts'
import type { Cloud } from './cloud.ts'
import type { Config } from './config.ts'
import type { Database } from './db/database.ts'
import type { CardSources, Deps } from './deps.ts'
import { openFeeding } from './feeding/feeding.ts'
import { runFeeding } from './feeding/run.ts'
import { type FeedRow, isEnded, seenOf } from './feeding/timeline.ts'
import type { HistoryIndex } from './history/history.ts'
import type { Leases } from './hops/leases.ts'
import { openMail } from './notify/mail.ts'
import { createNotifier } from './notify/notifier.ts'
import { openNotificationSettings } from './notify/settings.ts'
import { messageOfInvitation } from './notify/texts.ts'
import { readVapidKeys } from './notify/vapid.ts'

/** Feeding, the alarms that come of it, and the messages that tell of them: put together, and kept running. */
export type Husbandry = {
  /** For the routes. */
  readonly deps: Pick<Deps, 'feeding' | 'alarms' | 'pushKey' | 'hasMail' | 'mailInvitation'>
  readonly cards: Required<Pick<CardSources, 'feeders' | 'meals' | 'alarms'>>
  /** Devices were registered, or moved. */
  onDevicesChange(): void
  close(): void
}

/** Feeders are looked at so often, unless there are so many that it would cost: milliseconds, and the same for each. */
const SWEEP_MS = 30_000
const SWEEP_EACH_MS = 500
const ROUND_MS = 60_000
/** A camera that is away for a moment has only changed its network, milliseconds. */
const CAMERA_GONE_MS = 120_000
/** Of a portion longer ago nobody wants to be told, milliseconds. */
const NEWS_MS = 30 * 60_000

type Options = {
  readonly config: Pick<Config, 'origin' | 'smtpUrl'>
  readonly cloud: Cloud
  readonly leases: Leases
  readonly relay: Pick<Relay, 'onGone'> | undefined
  readonly history: Pick<HistoryIndex, 'onIndexed'> | undefined
  readonly db: Database
  readonly now: () => number
  readonly log: FastifyBaseLogger
}

export async function openHusbandry(options: Options): Promise<Husbandry> {
  const { config, cloud, leases, relay, history, db, now, log } = options
  const { origin, smtpUrl } = config
  const mail = smtpUrl === undefined ? undefined : openMail(smtpUrl)
  const keys = await readVapidKeys(db)
  const failed = (text: string) => (error: unknown) => log.warn({ err: error }, text)

  const feeding = openFeeding({
    db,
    shadows: cloud.shadows,
    now,
    log,
    publish: (event, stable) => cloud.live.publish(event, { stable }),
    onFeed,
    onMissed: async ({ thing, meal }) => {
      const { minute, grams, occurrence, at } = meal
      const detail = { minute, grams, occurrence }
      // As of the meal's own time: word of it that comes late clears it.
      await alarms.take(thing, [{ kind: 'missed', isOn: true, isAnew: true, detail }], at)
    },
  })
  const { places } = feeding
  const alarms = openAlarms({
    db,
    places,
    now,
    publish: (event, stable) => cloud.live.publish(event, stable === null ? { fleet: true } : { stable }),
    onAlarm: (row) => void notifier.tellAlarm(row).catch(failed('nobody could be told of an alarm')),
  })
  const notifier = createNotifier({
    ...{ db, alarms, places, keys, origin, now, log },
    settings: openNotificationSettings(db),
    mail: mail?.send,
  })
  const sweep = createSweep({
    ...{ db, places, alarms, leases, now },
    shadows: cloud.shadows,
    heard: (thing) => {
      const { outcomes, meals } = feeding.control(thing)?.reported ?? {}
      const words = [...(outcomes?.items ?? []), ...Object.values(meals?.items ?? {})]
      return Math.max(0, ...words.map(({ at }) => at))
    },
    standing: (thing) => ({
      isFeeding: feeding.going(thing).some(({ state }) => state === 'accepted' || state === 'dispensing'),
      isEnabled: feeding.control(thing)?.desired.enabled ?? true,
    }),
  })

  function onFeed(row: FeedRow): void {
    if (!isEnded(row.state)) return
    // The clock's word is about when it was asked for; the feeder's, about when it happened.
    const at = row.state === 'unknown' ? row.at : (seenOf(row).at(-1)?.at ?? row.at)
    alarms.take(row.thing, signalsOfFeed(row), at).catch(failed('an alarm could not be written down'))
    if (now() - at < NEWS_MS) notifier.tellFed(row).catch(failed('nobody could be told of a portion'))
  }

  const stops: (() => void)[] = []
  const cameras = new Map<string, NodeJS.Timeout>()
  function onCamera(thing: string, { isGone, at }: { isGone: boolean; at: number }): void {
    clearTimeout(cameras.get(thing))
    const signal = { kind: 'camera_gone', isOn: isGone, detail: { seen: at } } as const
    const take = () => alarms.take(thing, [signal]).catch(failed('an alarm could not be written down'))
    if (isGone) cameras.set(thing, setTimeout(take, CAMERA_GONE_MS))
    else void take()
  }

  if (cloud.iot !== undefined) {
    await alarms.refresh()
    stops.push(runFeeding(feeding, cloud, log))
    cloud.onState(sweep.hear)
    history?.onIndexed(({ meals }) => {
      feeding.told(meals).catch(failed('nobody could be told of a meal that the archive knows of'))
    })
    relay?.onGone(onCamera)
    stops.push(
      repeat(
        () => sweep.sweep().catch(failed('devices cannot be looked at: alarms may be old')),
        async () => Math.max(SWEEP_MS, (await places.all()).size * SWEEP_EACH_MS),
      ),
      // Not only with the sweep, which takes its time where there are many devices: a lease is old after a minute and a half.
      repeat(
        () => leases.look().catch(failed('gateways cannot be looked at: who is late may be said wrongly')),
        async () => SWEEP_MS,
      ),
      repeat(
        () => notifier.round().catch(failed('nobody could be told of an alarm')),
        async () => ROUND_MS,
      ),
    )
  }

  return {
    deps: {
      feeding: cloud.iot && feeding,
      alarms: cloud.iot && alarms,
      pushKey: keys.publicKey,
      hasMail: mail !== undefined,
      ...(mail && {
        mailInvitation: async ({ to, by, link, language }) => {
          try {
            await mail.send({ to, ...messageOfInvitation({ by, link }, language) })
            return true
          } catch (error) {
            failed('an invitation could not be mailed')(error)
            return false
          }
        },
      }),
    },
    cards: { feeders: sweep.cards, meals: feeding.meals, alarms: alarms.ofHorses },
    onDevicesChange: feeding.forgetPlaces,
    close() {
      for (const stop of stops) stop()
      for (const timer of cameras.values()) clearTimeout(timer)
      mail?.close()
    },
  }
}

/** Does something again and again, one after the other, with a pause in between. Returns what ends it. */
function repeat(work: () => Promise<void>, pause: () => Promise<number>): () => void {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  async function run(): Promise<void> {
    await work()
    const ms = await pause().catch(() => SWEEP_MS)
    if (!isStopped) timer = setTimeout(() => void run(), ms)
  }
  void run()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
