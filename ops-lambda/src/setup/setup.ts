import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { FLEET_KEY_BYTES } from '@pesebre/contract/kid'
import { type Hmac, makeIdentity, newestOf } from '@pesebre/contract/registration'

/** What Terraform asks for. */
export type SetupRequest = {
  /** MQTT clients: thing name -> policy name. */
  readonly clients: Readonly<Record<string, string>>
  /** Probes: gateway id -> device number, of kind test. */
  readonly probes: Readonly<Record<string, number>>
  /** Whether there is a web server whose first admin needs a link. */
  readonly admin: boolean
  /** Regions that get copies of the fleet keys and of the clients' certificates. */
  readonly replicas: readonly string[]
}

/** What Terraform hears: no secret but the one-time token of the first admin's link. */
export type SetupAnswer = { readonly made: readonly string[]; readonly token: string | null }

export type Certificate = { readonly arn: string; readonly certificate: string; readonly key: string }

export type SetupPorts = {
  /** A parameter, decrypted; undefined: there is none. `region`: another one than ours. */
  readonly read: (name: string, region?: string) => Promise<string | undefined>
  /** Makes a SecureString. False: somebody else has made it meanwhile, and it stays as it is. */
  readonly make: (name: string, value: string, region?: string) => Promise<boolean>
  readonly createCertificate: () => Promise<Certificate>
  /** Lets a certificate in, as this thing, under this policy. */
  readonly attach: (certificate: string, thing: string, policy: string) => Promise<void>
  /** Lets a device in by its control shadow; does nothing when it is in already. */
  readonly admit: (thing: string, name: string) => Promise<void>
  readonly randomHex: (bytes: number) => string
  readonly hmac: Hmac
}

const TOKEN_BYTES = 24

/** Makes every secret of an installation that is missing, under `path` of the Parameter Store. What is there stays. */
export async function setUp(path: string, request: SetupRequest, ports: SetupPorts): Promise<SetupAnswer> {
  const made: string[] = []

  /** The value of a parameter, made if it is missing. */
  async function ensure(name: string, value: () => string): Promise<string> {
    const found = await ports.read(name)
    if (found !== undefined) return found
    const fresh = value()
    if (await ports.make(name, fresh)) {
      made.push(name)
      return fresh
    }
    return (await ports.read(name)) ?? fresh
  }

  async function copy(name: string, value: string): Promise<void> {
    for (const region of request.replicas) {
      if ((await ports.read(name, region)) !== undefined) continue
      if (await ports.make(name, value, region)) made.push(`${region}:${name}`)
    }
  }

  /** Certificate and key in one parameter, so that they can only be there together. */
  async function ensureCertificate(thing: string, policy: string): Promise<void> {
    const name = `${path}/mqtt/${thing}`
    let pem = await ports.read(name)
    if (pem === undefined) {
      const fresh = await ports.createCertificate()
      await ports.attach(fresh.arn, thing, policy)
      pem = await ensure(name, () => `${fresh.certificate.trim()}\n${fresh.key.trim()}\n`)
    }
    await copy(name, pem)
  }

  const fleetKeysName = `${path}/fleet-keys`
  const fleetKeys = await ensure(fleetKeysName, () => JSON.stringify({ 1: ports.randomHex(FLEET_KEY_BYTES) }))
  await copy(fleetKeysName, fleetKeys)
  for (const [thing, policy] of Object.entries(request.clients)) await ensureCertificate(thing, policy)

  const fleetKey = newestOf(parseFleetKeys(fleetKeys, fleetKeysName))
  for (const [gateway, number] of Object.entries(request.probes)) {
    const identity = makeIdentity(
      { kind: 'test', number, fleetKey, name: undefined, gateways: [] },
      ports.hmac,
    )
    await ensure(`${path}/probe/${gateway}`, () => JSON.stringify(identity))
    await ports.admit(identity.thing, `probe of gateway ${gateway}`)
  }

  const token = request.admin
    ? await ensure(`${path}/web/setup-token`, () => ports.randomHex(TOKEN_BYTES))
    : null
  return { made, token }
}
