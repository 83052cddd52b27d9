/** TD_COAP_OBS: resources that change by themselves, with every tick of the server. */
import { CODE } from '@pesebre/coap/codec/codes'
import { maxAge } from '@pesebre/coap/endpoint/response'
import type { Response } from '@pesebre/coap/endpoint/types'
import { bodyOf, type Notification, type Representation, type Resource, shown, textOf } from '../resource.ts'
import { lines } from './block.ts'

/** `periodS`: seconds from tick to tick, and so the Max-Age of what is shown. */
export function observeResources({ periodS }: { periodS: number }): readonly Resource[] {
  const options = [maxAge(periodS)]
  return [
    observed({ path: 'obs', confirmable: true, options, stateAt: (n) => textOf(`State ${n}`) }),
    observed({ path: 'obs-non', confirmable: false, options, stateAt: (n) => textOf(`State ${n}`) }),
    observed({
      path: 'obs-large',
      confirmable: true,
      options,
      stateAt: (n) => textOf(lines(21, `state ${n}`)),
    }),
    observed({ path: 'obs-pumping', confirmable: true, options, stateAt: pumping }),
    observed({ path: 'obs-pumping-non', confirmable: false, options, stateAt: pumping }),
    {
      path: 'obs-reset',
      attributes: () => ({ title: 'POST makes the server lose its observers' }),
      post: () => ({ code: CODE.CHANGED, reboot: true }),
    },
  ]
}

/** Every second state needs blocks. */
function pumping(n: number): Representation {
  return textOf(n % 2 === 0 ? `State ${n}` : lines(21, `state ${n}`))
}

type Observed = {
  path: string
  /** Whether notifications are. */
  confirmable: boolean
  options: Response['options']
  stateAt: (tick: number) => Representation
}

/**
 * What is put stays until the next tick, and what is deleted is gone until then. Whoever observes learns of a new state at once;
 * the observation ends with 4.04 when the resource is deleted, and with 4.06 when its format changes (RFC 7641 section 4.2).
 */
function observed({ path, confirmable, options, stateAt }: Observed): Resource {
  let count = 0
  let now: Representation | undefined = stateAt(0)
  const show = (): Response =>
    now === undefined
      ? { code: CODE.NOT_FOUND, confirmable }
      : { ...shown(now, options), observe: path, confirmable }
  const become = (next: Representation | undefined): readonly Notification[] => {
    const isOtherFormat = next !== undefined && now !== undefined && next.format !== now.format
    now = next
    return [{ resource: path, response: isOtherFormat ? { code: CODE.NOT_ACCEPTABLE, confirmable } : show() }]
  }
  return {
    path,
    attributes: () => now && { title: 'Changes by itself', rt: 'observe', ct: `${now.format}`, obs: true },
    exists: () => now !== undefined,
    get: show,
    put: (request) => {
      const code = now === undefined ? CODE.CREATED : CODE.CHANGED
      return { code, notifications: become(bodyOf(request)) }
    },
    delete: () => ({ code: CODE.DELETED, notifications: become(undefined) }),
    tick: () => become(stateAt(++count)),
  }
}
