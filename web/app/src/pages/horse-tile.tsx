/** The card of a horse in its stable. The whole of it leads to the horse. */

import type { FeedState } from '@pesebre/contract/api/feed'
import type { HorseCard, MealSummary } from '@pesebre/contract/api/horse'
import type { ComponentChildren } from 'preact'
import { now } from '../data/clock.ts'
import { Icon } from '../ui/icon.tsx'
import { Meter, Skeleton, Tag } from '../ui/surfaces.tsx'
import { When } from '../ui/time.tsx'
import { grams } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import { sayFeeder, sayPresence } from '../words/presence.ts'
import { HorsePicture } from './horse-picture.tsx'

/** Below these somebody should act; the alarm of the server decides when it is told. */
export const HOPPER_LOW = 15
export const BATTERY_LOW = 20

export function HorseTile({ card, zone }: { card: HorseCard; zone: string }) {
  const w = words.value
  const { horse, feeder, camera, lastMeal, nextMeal, alarms } = card
  const said = feeder && sayFeeder(w, feeder.state)
  return (
    <li class={`tile ${alarms.some(({ acknowledged }) => !acknowledged) ? 'has-alarm' : ''}`}>
      <div class="tile-picture">
        <HorsePicture horse={horse} size="card" />
        {camera && (
          <span class="tile-camera">
            <Icon name="camera" size={16} />
            <span class="visually-hidden">{w.card.camera}</span>
          </span>
        )}
      </div>
      <div class="tile-body">
        <div class="row spread tile-title">
          <h2>
            <a href={`/horses/${horse.id}`}>{horse.name}</a>
          </h2>
          {said ? <Tag tone={said.tone}>{said.text}</Tag> : <Tag>{w.card.noFeeder}</Tag>}
        </div>
        {alarms.map(({ id, kind, acknowledged }) => (
          <p key={id} class={`tile-alarm ${acknowledged ? 'is-seen' : ''}`}>
            <Icon name="warning" size={16} />
            {Object.hasOwn(w.alarm.kind, kind) ? w.alarm.kind[kind as keyof typeof w.alarm.kind] : kind}
          </p>
        ))}
        <dl class="tile-meals">
          <dt>{w.card.last}</dt>
          <dd>{lastMeal ? <Meal meal={lastMeal} zone={zone} isOver /> : w.card.noneLast}</dd>
          <dt>{w.card.next}</dt>
          <dd>{nextMeal ? <Meal meal={nextMeal} zone={zone} /> : w.card.noneNext}</dd>
        </dl>
        {feeder ? (
          <>
            <div class="tile-meters">
              <Meter icon="feeder" label={w.card.hopper} value={feeder.hopperPct} low={HOPPER_LOW} />
              <Meter icon="battery" label={w.card.battery} value={feeder.batteryPct} low={BATTERY_LOW} />
            </div>
            <p class="tile-seen">{sayPresence(language.value, w, feeder, now.value)}</p>
          </>
        ) : (
          <p class="tile-seen">{w.card.noFeederHelp}</p>
        )}
      </div>
    </li>
  )
}

function Meal({
  meal,
  zone,
  isOver = false,
}: {
  meal: MealSummary
  zone: string
  isOver?: boolean
}): ComponentChildren {
  const w = words.value
  const amount = meal.grams ?? meal.planned
  const state = Object.hasOwn(w.state, meal.state) ? w.state[meal.state as FeedState] : meal.state
  const isFine = meal.state === 'done' || meal.state === 'planned'
  return (
    <>
      <When at={meal.at} zone={zone} />
      {amount !== null && <span class="nowrap"> · {grams(language.value, amount)}</span>}
      {isOver && !isFine && <span class="nowrap"> · {state}</span>}
    </>
  )
}

/** A card of which nothing is known yet, of the same size. */
export function TileBones() {
  return (
    <li class="tile">
      <div class="tile-picture skeleton" />
      <div class="tile-body">
        <Skeleton lines={6} />
      </div>
    </li>
  )
}
