import type { NotificationKind } from '@pesebre/contract/api/notification'
import type { Language } from '@pesebre/contract/api/values'

/** What a message is about. */
export type Occasion = {
  readonly kind: NotificationKind
  /** Name of the horse, or of the device where there is none. */
  readonly of: string
  /** Numbers of the alarm (contract/src/api/alarm.ts). */
  readonly detail: Readonly<Record<string, number | string>>
  /** When, milliseconds since 1970, and the zone in which people read it. */
  readonly at: number
  readonly zone: string
  /** Told before, and nobody has acknowledged it. */
  readonly isAgain: boolean
}

type Words = Readonly<Record<NotificationKind, (occasion: Occasion, say: Say) => string>>
/** Values as people read them. */
type Say = { readonly time: (at: number) => string; readonly minute: string; readonly grams: string }

const SPANISH: Words = {
  jammed: ({ of }) => `El comedero de ${of} está atascado. Hay que desatascarlo y pulsar su botón.`,
  interrupted: ({ of }, { grams }) =>
    `El comedero de ${of} se quedó sin corriente mientras daba${grams && ` ${grams}`}. No se sabe cuánto cayó: mira el pesebre. No se repite solo.`,
  missed: ({ of, detail }, { minute, grams }) =>
    detail['reason'] === undefined
      ? `Sin noticia de la comida de las ${minute} de ${of}${grams && ` (${grams})`}. Puede que no haya comido.`
      : `${of} no ha recibido su comida de las ${minute}${grams && ` (${grams})`}: el comedero la rechazó (${reasonIn('es', detail)}).`,
  unknown: ({ of }, { grams }) =>
    `No se sabe qué fue de la ración${grams && ` de ${grams}`} para ${of}. Mira la cámara antes de dar otra.`,
  empty: ({ of, detail }) => `A la tolva de ${of} le queda un ${detail['hopper_pct'] ?? 0} %.`,
  battery: ({ of, detail }) => `La batería del comedero de ${of} está baja (${volts('es', detail)} V).`,
  late: ({ of, detail }, { time }) =>
    `El comedero de ${of} no dice nada desde las ${time(Number(detail['seen'] ?? 0))}.`,
  camera_gone: ({ of, detail }, { time }) =>
    `La cámara de ${of} no está conectada desde las ${time(Number(detail['seen'] ?? 0))}.`,
  gateway: ({ of, detail }, { time }) =>
    `La pasarela ${of} no responde desde las ${time(Number(detail['seen'] ?? 0))}.`,
  fed: ({ of, at }, { grams, time }) => `${of} ha recibido ${grams || 'su ración'} a las ${time(at)}.`,
}

const ENGLISH: Words = {
  jammed: ({ of }) => `${of}'s feeder is jammed. Clear it and press its button.`,
  interrupted: ({ of }, { grams }) =>
    `${of}'s feeder lost power while it gave${grams ? ` ${grams}` : ' a portion'}. Nobody knows how much came: look at the manger. It is not repeated by itself.`,
  missed: ({ of, detail }, { minute, grams }) =>
    detail['reason'] === undefined
      ? `No word of ${of}'s meal at ${minute}${grams && ` (${grams})`}. It may not have been given.`
      : `${of} did not get the meal at ${minute}${grams && ` (${grams})`}: the feeder refused it (${reasonIn('en', detail)}).`,
  unknown: ({ of }, { grams }) =>
    `Nobody knows what became of the portion${grams && ` of ${grams}`} for ${of}. Look at the camera before you give another.`,
  empty: ({ of, detail }) => `${of}'s hopper is down to ${detail['hopper_pct'] ?? 0} %.`,
  battery: ({ of, detail }) => `The battery of ${of}'s feeder is low (${volts('en', detail)} V).`,
  late: ({ of, detail }, { time }) =>
    `${of}'s feeder has said nothing since ${time(Number(detail['seen'] ?? 0))}.`,
  camera_gone: ({ of, detail }, { time }) =>
    `${of}'s camera has not been connected since ${time(Number(detail['seen'] ?? 0))}.`,
  gateway: ({ of, detail }, { time }) =>
    `Gateway ${of} has not answered since ${time(Number(detail['seen'] ?? 0))}.`,
  fed: ({ of, at }, { grams, time }) => `${of} got ${grams || 'a portion'} at ${time(at)}.`,
}

const TITLES: Readonly<Record<Language, Readonly<Record<NotificationKind, string>>>> = {
  es: {
    jammed: 'Comedero atascado',
    interrupted: 'Comida interrumpida',
    missed: 'Comida sin confirmar',
    unknown: 'Ración sin noticia',
    empty: 'Tolva casi vacía',
    battery: 'Batería baja',
    late: 'Comedero en silencio',
    camera_gone: 'Cámara desconectada',
    gateway: 'Pasarela caída',
    fed: 'Ha comido',
  },
  en: {
    jammed: 'Feeder jammed',
    interrupted: 'Meal interrupted',
    missed: 'Meal not confirmed',
    unknown: 'No word of a portion',
    empty: 'Hopper nearly empty',
    battery: 'Battery low',
    late: 'Feeder is silent',
    camera_gone: 'Camera gone',
    gateway: 'Gateway down',
    fed: 'Fed',
  },
}

const REASONS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  latched: { es: 'está atascado', en: 'it is jammed' },
  portion: { es: 'ración demasiado grande', en: 'portion too large' },
  daily: { es: 'límite del día', en: 'daily limit' },
  gap: { es: 'demasiado pronto tras la anterior', en: 'too soon after the last one' },
  battery: { es: 'batería demasiado baja', en: 'battery too low' },
  busy: { es: 'ocupado', en: 'busy' },
  no_time: { es: 'no sabe la hora', en: 'it does not know the time' },
  expired: { es: 'fuera de hora', en: 'its time was past' },
}

const AGAIN: Readonly<Record<Language, string>> = { es: 'Sigue así', en: 'Still so' }

/** A message in a person's language: at most a line for the title, a sentence or two for the rest. */
export function messageOf(occasion: Occasion, language: Language): { title: string; body: string } {
  const { kind, of, detail, at, zone, isAgain } = occasion
  const clock = new Intl.DateTimeFormat(language, {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, day: 'numeric', month: 'short' })
  const isToday = (instant: number): boolean => day.format(instant) === day.format(at)
  const minute = typeof detail['minute'] === 'number' ? detail['minute'] : 0
  const grams = detail['actual'] ?? detail['grams']
  const say: Say = {
    time: (instant) => `${clock.format(instant)}${isToday(instant) ? '' : ` (${day.format(instant)})`}`,
    minute: `${`${Math.floor(minute / 60)}`.padStart(2, '0')}:${`${minute % 60}`.padStart(2, '0')}`,
    grams: grams === undefined ? '' : `${grams} g`,
  }
  const body = (language === 'es' ? SPANISH : ENGLISH)[kind](occasion, say)
  const again = isAgain ? `${AGAIN[language]}: ` : ''
  return { title: `${again}${TITLES[language][kind]} · ${of}`, body }
}

function reasonIn(language: Language, { reason }: Occasion['detail']): string {
  return REASONS[String(reason)]?.[language] ?? String(reason)
}

function volts(language: Language, { battery_mv }: Occasion['detail']): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(Number(battery_mv ?? 0) / 1000)
}

/** The mail that brings an invitation. */
export function messageOfInvitation(
  { by, link }: { by: string; link: string },
  language: Language,
): { subject: string; text: string } {
  return language === 'es'
    ? {
        subject: `${by} te invita a Pesebre`,
        text: `${by} te invita a su cuadra en Pesebre. Ábrelo y elige tu contraseña:\n\n${link}\n\nSi no conoces a ${by}, no hagas nada.\n`,
      }
    : {
        subject: `${by} invites you to Pesebre`,
        text: `${by} invites you to a stable in Pesebre. Open this and choose your password:\n\n${link}\n\nIf you do not know ${by}, do nothing.\n`,
      }
}
