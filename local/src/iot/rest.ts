import type { Attachments } from './attachments.ts'
import { AwsError, invalid } from './aws-error.ts'
import type { Message } from './broker.ts'
import type { Certificates } from './certificates.ts'
import type { RestRequest, Route } from './http.ts'
import { isObject, type JsonObject } from './json.ts'
import { type PageRequest, pageRequest } from './paging.ts'
import type { Registry } from './registry.ts'
import type { Retained } from './retained.ts'
import type { Shadows } from './shadows.ts'
import type { ThingTypes } from './thing-types.ts'
import { PAYLOAD_BYTES_MAX, parseShadowTopic, publishProblem, type ShadowId } from './topics.ts'

type Services = {
  types: ThingTypes
  registry: Registry
  certificates: Certificates
  attachments: Attachments
  shadows: Shadows
  retained: Retained
  /** Host, with a port unless it is MQTT's own, of the broker. */
  endpoint: () => string
  publish: (message: Message) => void
}

/** Every call of the control plane and of the data plane that is served (AWS IoT API Reference, "Actions"). */
export function restRoutes(services: Services): Route[] {
  const { types, registry, certificates, attachments, shadows, retained } = services
  const shadow = (request: RestRequest): ShadowId => ({
    thing: text(request, 'thing'),
    name: request.query.get('name') ?? undefined,
  })

  return [
    ['GET', '/healthz', () => ({ status: 'ok' })],

    // Data plane
    ['GET', '/things/:thing/shadow', (r) => shadows.call('get', shadow(r), r.body)],
    ['POST', '/things/:thing/shadow', (r) => shadows.call('update', shadow(r), r.body)],
    ['DELETE', '/things/:thing/shadow', (r) => shadows.call('delete', shadow(r), r.body)],
    [
      'GET',
      '/api/things/shadow/ListNamedShadowsForThing/:thing',
      (r) => shadows.listNamed(text(r, 'thing'), page(r, 'pageSize', 'nextToken', 100)),
    ],
    ['POST', '/topics/*topic', (r) => publish(services, r)],
    ['GET', '/retainedMessage', (r) => retained.list(page(r, 'maxResults', 'nextToken', 200))],
    ['GET', '/retainedMessage/*topic', (r) => retained.describe(text(r, 'topic'))],

    // Control plane: things and their types
    ['GET', '/things', (r) => registry.list(page(r, 'maxResults', 'nextToken', 250), thingFilter(r))],
    ['POST', '/things/:thing', (r) => registry.create(text(r, 'thing'), r.json())],
    ['GET', '/things/:thing', (r) => registry.describe(text(r, 'thing'))],
    ['PATCH', '/things/:thing', (r) => registry.update(text(r, 'thing'), r.json())],
    ['DELETE', '/things/:thing', (r) => registry.delete(text(r, 'thing'), integer(r, 'expectedVersion'))],
    [
      'GET',
      '/thing-types',
      (r) => types.list(page(r, 'maxResults', 'nextToken', 250), r.query.get('thingTypeName')),
    ],
    ['POST', '/thing-types/:type', (r) => types.create(text(r, 'type'), object(r, 'thingTypeProperties'))],
    ['GET', '/thing-types/:type', (r) => types.describe(text(r, 'type'))],
    ['DELETE', '/thing-types/:type', (r) => types.delete(text(r, 'type'))],
    [
      'POST',
      '/thing-types/:type/deprecate',
      (r) => types.deprecate(text(r, 'type'), r.json()['undoDeprecate'] === true),
    ],

    // Control plane: certificates, policies, and what they are attached to
    ['POST', '/keys-and-certificate', (r) => certificates.create(flag(r, 'setAsActive'))],
    ['GET', '/certificates', (r) => certificates.list(page(r, 'pageSize', 'marker', 250))],
    ['GET', '/certificates/:id', (r) => certificates.describe(text(r, 'id'))],
    ['PUT', '/certificates/:id', (r) => certificates.update(text(r, 'id'), r.query.get('newStatus'))],
    ['DELETE', '/certificates/:id', (r) => certificates.delete(text(r, 'id'), flag(r, 'forceDelete'))],
    ['GET', '/policies', (r) => attachments.listPolicies(page(r, 'pageSize', 'marker', 250))],
    [
      'POST',
      '/policies/:policy',
      (r) => attachments.createPolicy(text(r, 'policy'), r.json()['policyDocument']),
    ],
    ['GET', '/policies/:policy', (r) => attachments.getPolicy(text(r, 'policy'))],
    ['DELETE', '/policies/:policy', (r) => attachments.deletePolicy(text(r, 'policy'))],
    [
      'PUT',
      '/target-policies/:policy',
      (r) => attachments.attachPolicy(text(r, 'policy'), r.json()['target']),
    ],
    [
      'POST',
      '/target-policies/:policy',
      (r) => attachments.detachPolicy(text(r, 'policy'), r.json()['target']),
    ],
    [
      'POST',
      '/attached-policies/*target',
      (r) => attachments.listAttachedPolicies(text(r, 'target'), page(r, 'pageSize', 'marker', 250)),
    ],
    [
      'POST',
      '/policy-targets/:policy',
      (r) => attachments.listTargets(text(r, 'policy'), page(r, 'pageSize', 'marker', 250)),
    ],
    ['PUT', '/things/:thing/principals', (r) => attachments.attachPrincipal(text(r, 'thing'), r.principal)],
    [
      'DELETE',
      '/things/:thing/principals',
      (r) => attachments.detachPrincipal(text(r, 'thing'), r.principal),
    ],
    [
      'GET',
      '/things/:thing/principals',
      (r) => attachments.listPrincipals(text(r, 'thing'), page(r, 'maxResults', 'nextToken', 250)),
    ],
    [
      'GET',
      '/principals/things',
      (r) => attachments.listThings(r.principal, page(r, 'maxResults', 'nextToken', 250)),
    ],

    ['GET', '/endpoint', () => ({ endpointAddress: services.endpoint() })],
  ]
}

/** Publish (AWS IoT API Reference): a message to a topic of the shadow service reaches it this way, too. */
function publish({ retained, shadows, publish: send }: Services, request: RestRequest) {
  const topic = text(request, 'topic')
  const qos = integer(request, 'qos') ?? 0
  const retain = flag(request, 'retain')
  if (qos !== 0 && qos !== 1) throw invalid(`Invalid QoS: ${qos}`)
  const problem = publishProblem(topic, retain)
  if (problem !== undefined) throw invalid(`Cannot publish, ${problem}: ${topic}`)
  const payload = request.body
  if (payload.length > PAYLOAD_BYTES_MAX) {
    throw new AwsError('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed')
  }
  if (retain) retained.keep({ topic, payload, qos })
  const shadow = parseShadowTopic(topic)
  if (shadow !== undefined) shadows.onMessage(shadow.operation, shadow.id, payload)
  send({ topic, payload, qos, retain })
  return { message: 'OK' }
}

function thingFilter({ query }: RestRequest) {
  return {
    type: query.get('thingTypeName'),
    attribute: query.get('attributeName'),
    value: query.get('attributeValue'),
    prefix: query.get('usePrefixAttributeValue') === 'true',
  }
}

/** Pages have 25 entries unless more are asked for, so that nobody gets away with reading only the first. */
function page(request: RestRequest, size: string, token: string, max: number): PageRequest {
  return pageRequest(request.query.get(size), request.query.get(token), { standard: 25, max })
}

function text(request: RestRequest, part: string): string {
  const value = request.path[part]
  if (value === undefined || value === '') throw invalid(`Missing in the path: ${part}`)
  return value
}

function flag(request: RestRequest, name: string): boolean {
  return request.query.get(name) === 'true'
}

function integer(request: RestRequest, name: string): number | undefined {
  const value = request.query.get(name)
  if (value === null) return undefined
  if (!/^\d{1,15}$/.test(value)) throw invalid(`Not a number: ${name}=${value}`)
  return Number(value)
}

function object(request: RestRequest, key: string): JsonObject {
  const value = request.json()[key] ?? {}
  if (!isObject(value)) throw invalid(`Not an object: ${key}`)
  return value
}
