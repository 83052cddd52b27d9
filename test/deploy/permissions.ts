import { readFileSync } from 'node:fs'

/** terraform/permissions.json: what each process may do. `{...}` stands for what differs between devices and installations. */
export type Permissions = {
  /** Calls that a process makes: action -> resources. calls.test.ts compares them with what it sees. */
  readonly processes: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** What a role needs beyond them, and why. */
  readonly exceptions: readonly { process: string; action: string; resource: string; why: string }[]
  /** What AWS and the host ask for: actions only. */
  readonly surroundings: Readonly<Record<string, readonly string[]>>
  /** Actions for which AWS lets no resource be named (Service Authorization Reference). */
  readonly unnameable: readonly string[]
}

export function readPermissions(): Permissions {
  return JSON.parse(readFileSync(new URL('../../terraform/permissions.json', import.meta.url), 'utf8'))
}

/** What a resource of the local stack is called in the list, the first that fits. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/^thing\/(?:feeder|waterer|sensor)-[0-9a-f]{8}$/, 'thing/{device}'],
  [/^thing\/camera-[0-9a-f]{8}$/, 'thing/{camera}'],
  [/^thing\/test-[0-9a-f]{8}$/, 'thing/{probe}'],
  [/^thingtype\/(?:feeder|waterer|sensor)$/, 'thingtype/{device kind}'],
  [/^thing\/pesebre-gateway-a$/, 'thing/pesebre-gateway-{gateway}'],
  [/^thing\/demo-luna$/, 'thing/{open}'],
  [/^cert\/.*$/, 'cert/{certificate}'],
  [/^pesebre-reports$/, '{queue}'],
  [/^pesebre-reports-dlq$/, '{dead letters}'],
  [/^pesebre$/, '{bucket}'],
  [/^pesebre\/raw\/gateway=a\/.+$/, '{bucket}/raw/gateway={gateway}/{object}'],
  [/^pesebre\/(pictures|backup)\/.+$/, '{bucket}/$1/{object}'],
  [/^parameter\/pesebre\/(fleet-keys|web\/setup-token)$/, 'parameter/{name}/$1'],
  [/^parameter\/pesebre\/mqtt\/.+$/, 'parameter/{name}/mqtt/{client}'],
  [/^parameter\/pesebre\/probe\/a$/, 'parameter/{name}/probe/{gateway}'],
]

/** A resource as the list names it; as it is when the list has no name for it. */
export function nameInList(resource: string): string {
  const [pattern, name] = PATTERNS.find(([known]) => known.test(resource)) ?? []
  return pattern === undefined ? resource : resource.replace(pattern, name!)
}

/** What `{...}` stands for in a plan: each may be several. */
export type Values = Readonly<Record<string, readonly string[]>>

/** Where a plan is. Things are always in the first region. */
export type Place = { readonly account: string; readonly region: string; readonly home: string }

/** The ARNs that a resource of the list stands for. */
export function arnsOf(
  action: string,
  resource: string,
  { values, place }: { values: Values; place: Place },
): string[] {
  const { account, region, home } = place
  const [service] = action.split(':')
  const prefix =
    resource === '*' || /^\{(queue|dead letters|database secret)\}$/.test(resource)
      ? ''
      : service === 'iot'
        ? `arn:aws:iot:${home}:${account}:`
        : service === 's3'
          ? 'arn:aws:s3:::'
          : `arn:aws:${service}:${region}:${account}:`
  return fill(`${prefix}${resource}`, values)
}

function fill(text: string, values: Values): string[] {
  const found = /\{([^}]+)\}/.exec(text)
  if (found === null) return [text]
  const known = values[found[1]!]
  if (known === undefined) throw new Error(`Fill in a resource of terraform/permissions.json: ${text}`)
  return known.flatMap((value) => fill(text.replace(found[0], value), values))
}

/** Whether a resource of a policy covers an ARN (IAM User Guide, "IAM JSON policy elements: Resource"). */
export function covers(pattern: string, arn: string): boolean {
  if (arn === '*') return pattern === '*'
  const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${expression}$`).test(arn)
}
