import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { methodNotAllowed } from '@pesebre/coap/endpoint/response'
import type { Request } from '@pesebre/coap/endpoint/types'
import { type Handler, isMet, type Notification, negotiated, type Reply, type Resource } from './resource.ts'
import { blockResources } from './resources/block.ts'
import { conditionalResources } from './resources/conditional.ts'
import { coreResources } from './resources/core.ts'
import { linkResources, wellKnown } from './resources/link.ts'
import { observeResources } from './resources/observe.ts'
import { oscoreResources } from './resources/oscore.ts'

export type SiteOptions = {
  /** How long /separate takes, milliseconds. */
  separateMs: number
  /** Seconds between two ticks. */
  periodS: number
  /** Adds the resources of the OSCORE tests. */
  oscore?: boolean
}

/** The resources of the ETSI CoAP plugtests (test descriptions of CoAP#4, and what older ones name beside them). */
export type Site = {
  answer(request: Request): Reply
  /** Lets everything that changes by itself take its next state. */
  tick(): readonly Notification[]
  /** How many resources there are at the moment. */
  count(): number
}

export function createSite(options: SiteOptions): Site {
  const mounted = [
    ...coreResources(options),
    ...conditionalResources(),
    ...blockResources(),
    ...observeResources(options),
    ...linkResources(),
    ...(options.oscore ? oscoreResources() : []),
  ]
  const all = (): readonly Resource[] =>
    mounted.flatMap((resource) => [resource, ...(resource.children?.() ?? [])])
  const core = wellKnown(all)

  function find(path: string): Resource | undefined {
    return path === core.path ? core : all().find((resource) => resource.path === path)
  }

  return {
    answer: (request) => {
      const resource = find(request.path.join('/'))
      return resource === undefined ? { code: CODE.NOT_FOUND } : answer(resource, request)
    },
    tick: () => all().flatMap((resource) => resource.tick?.() ?? []),
    count: () => all().length + 1,
  }
}

function answer(resource: Resource, request: Request): Reply {
  if (resource.isProtected && request.principal === undefined) return { code: CODE.UNAUTHORIZED }
  const handler = handlerOf(resource, request.method)
  if (handler === undefined) return methodNotAllowed()
  if (!isMet(resource, request)) return { code: CODE.PRECONDITION_FAILED }
  const reply = handler(request)
  return request.method === METHOD.GET ? negotiated(reply, request) : reply
}

function handlerOf(resource: Resource, method: number): Handler | undefined {
  switch (method) {
    case METHOD.GET:
      return resource.get
    case METHOD.POST:
      return resource.post
    case METHOD.PUT:
      return resource.put
    case METHOD.DELETE:
      return resource.delete
    default:
      return undefined
  }
}
