import { CONTROL_SHADOW } from '@pesebre/contract/control'
import type { Iot, Subscription } from '../iot/iot.ts'
import { type ControlEvent, currentOf, thingOfControl } from './documents.ts'

/** The control shadows of all things: few change, and what people do stands in them. */
export const CONTROL_FILTER = `$aws/things/+/shadow/name/${CONTROL_SHADOW}/update/documents`

/** Hears every change of a control shadow. */
export function hearControls(
  iot: Pick<Iot, 'subscribe'>,
  onControl: (event: ControlEvent) => void,
): Subscription {
  return iot.subscribe(CONTROL_FILTER, (topic, payload) => {
    const thing = thingOfControl(topic)
    const document = currentOf(payload)
    if (thing === undefined || document === undefined) return
    onControl({ kind: 'control', thing, version: document.version, control: document.state })
  })
}
