import type { PeerCertificate } from 'node:tls'
import type { ArnKind, MakeArn } from './arn.ts'
import type { Attachments } from './attachments.ts'
import { type BoundPolicies, bindPolicies, isAllowed } from './policy.ts'
import type { Variables } from './policy-pattern.ts'
import type { Registry } from './registry.ts'
import type { Store } from './store.ts'

/** Why a client is gone (Developer Guide, "Lifecycle events": disconnectReason). */
export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_INITIATED_DISCONNECT'

/** One MQTT connection, from its TLS handshake on. */
export type Connection = {
  readonly certificateId: string
  /** ARN of the certificate. */
  readonly principal: string
  readonly address: string
  readonly sessionId: string
  /** Rises with each connection (lifecycle events: versionNumber). */
  readonly number: number
  readonly certificate: Variables
  /** From the CONNECT packet: client id, features in use, and where the will goes. */
  clientId: string
  attributes: readonly ('PersistentConnect' | 'LastWill')[]
  willTopic: string | undefined
  readonly filters: Set<string>
  endReason: DisconnectReason | undefined
  decisions?: Decisions
}

type Decisions = {
  readonly revision: number
  readonly policies: BoundPolicies
  readonly known: Map<string, boolean>
}

export type Action = 'Connect' | 'Publish' | 'RetainPublish' | 'Subscribe' | 'Receive'

/** Decisions remembered per connection; beyond this they are worked out again. */
const KNOWN_MAX = 1000

/** Name attributes of a certificate as policies call them (Developer Guide, "X.509 Certificate policy variables"). */
const NAME_ATTRIBUTES = {
  CN: 'CommonName',
  C: 'Country',
  O: 'Organization',
  OU: 'OrganizationalUnit',
  ST: 'State',
  serialNumber: 'SerialNumber',
  dnQualifier: 'DistinguishedNameQualifier',
  title: 'Title',
  GN: 'GivenName',
  SN: 'Surname',
} as const

type Options = { store: Store; registry: Registry; attachments: Attachments; arn: MakeArn }

/** Asks the policies of a connection's certificate. A change of anything they depend on counts at once. */
export function createAuthorizer({ store, registry, attachments, arn }: Options) {
  function decisionsOf(connection: Connection): Decisions {
    const revision = store.revision()
    if (connection.decisions?.revision === revision) return connection.decisions
    const policies = bindPolicies(attachments.policiesFor(connection.principal), variablesOf(connection))
    const decisions = { revision, policies, known: new Map<string, boolean>() }
    connection.decisions = decisions
    return decisions
  }

  function variablesOf(connection: Connection): Variables {
    const { clientId, principal } = connection
    const variables = new Map(connection.certificate)
    variables.set('iot:ClientId', [clientId])
    variables.set('aws:SourceIp', [connection.address])
    variables.set('iot:CertificateId', [connection.certificateId])
    variables.set('iot:ConnectAttributes', connection.attributes)
    if (connection.willTopic !== undefined) {
      variables.set('iot:LastWillTopic', [arn('topic', connection.willTopic)])
    }
    // The thing of a connection has its client id as name, and the certificate attached.
    const thing = attachments.isAttached(clientId, principal) ? registry.facts(clientId) : undefined
    variables.set('iot:Connection.Thing.IsAttached', [String(thing !== undefined)])
    if (thing === undefined) return variables
    variables.set('iot:Connection.Thing.ThingName', [thing.name])
    if (thing.type !== undefined) variables.set('iot:Connection.Thing.ThingTypeName', [thing.type])
    for (const [name, value] of Object.entries(thing.attributes)) {
      variables.set(`iot:Connection.Thing.Attributes[${name}]`, [value])
    }
    return variables
  }

  /** @param name client id, topic or topic filter, as `kind` says */
  return function isPermitted(connection: Connection, action: Action, kind: ArnKind, name: string): boolean {
    const { policies, known } = decisionsOf(connection)
    const key = `${action} ${name}`
    const before = known.get(key)
    if (before !== undefined) return before
    const decision = isAllowed(policies, `iot:${action}`, arn(kind, name))
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(key, decision)
    return decision
  }
}

/** The policy variables that a client certificate brings; a value with wildcard characters is left out (ibid.). */
export function certificateVariables(certificate: PeerCertificate): Variables {
  const variables = new Map<string, readonly string[]>()
  const names = { Subject: certificate.subject, Issuer: certificate.issuer }
  for (const [whose, name] of Object.entries(names)) {
    for (const [key, attribute] of Object.entries(NAME_ATTRIBUTES)) {
      const given = (name as unknown as Record<string, string | string[] | undefined>)?.[key]
      const values = (Array.isArray(given) ? given : [given]).filter((one) => one !== undefined)
      if (values.length === 0 || values.some((value) => /[*$+?#]/.test(value))) continue
      variables.set(`iot:Certificate.${whose}.${attribute}`, [values[0]!])
      variables.set(`iot:Certificate.${whose}.${attribute}.List`, values)
    }
  }
  variables.set('iot:Certificate.SerialNumber', [certificate.serialNumber])
  return variables
}
