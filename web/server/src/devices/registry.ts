import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingTypeCommand,
  DescribeThingCommand,
  DetachThingPrincipalCommand,
  IoTClient,
  ListThingPrincipalsCommand,
  ListThingsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'

/** AWS IoT's control plane: things and certificates. Every function rejects when AWS cannot be asked, or refuses. */
export type Registry = {
  /** Thing type and thing. What is there with the same type is no error. */
  ensureThing(thing: string, kind: string): Promise<void>
  /** A new certificate with its key, which AWS shows this once, with a policy, for a thing. It is active. */
  createCertificate(thing: string, policy: string): Promise<Certificate>
  /** Stops a certificate, for good or for now, or lets it in again. Whoever is connected with it is cut off. */
  setCertificate(id: string, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED'): Promise<void>
  /** Undoes `createCertificate`, as far as that goes: it can be used by nobody. */
  discardCertificate(thing: string, certificate: Pick<Certificate, 'id' | 'arn'>): Promise<void>
  /** Ids of the certificates that a thing has. */
  certificatesOf(thing: string): Promise<string[]>
  /** The thing type; null: it has none. Undefined: there is no such thing. */
  kindOf(thing: string): Promise<string | null | undefined>
  /** At most `max` things, with their types. */
  listThings(max: number): Promise<{ thing: string; kind: string | undefined }[]>
  close(): void
}

export type Certificate = {
  readonly id: string
  readonly arn: string
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

const PAGE = 250

export function openRegistry(): Registry {
  const client = new IoTClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  })

  async function createCertificate(thing: string, policy: string): Promise<Certificate> {
    const made = await client.send(new CreateKeysAndCertificateCommand({ setAsActive: false }))
    const { certificateId: id = '', certificateArn: arn = '', certificatePem = '', keyPair } = made
    try {
      await client.send(new AttachPolicyCommand({ policyName: policy, target: arn }))
      await client.send(new AttachThingPrincipalCommand({ thingName: thing, principal: arn }))
      // Last: until then it opens nothing.
      await setCertificate(id, 'ACTIVE')
    } catch (error) {
      await discardCertificate(thing, { id, arn }).catch(() => {})
      throw error
    }
    return { id, arn, certificate: certificatePem, key: keyPair?.PrivateKey ?? '' }
  }

  async function setCertificate(certificateId: string, newStatus: 'ACTIVE' | 'INACTIVE' | 'REVOKED') {
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus }))
  }

  async function discardCertificate(thing: string, { id, arn }: { id: string; arn: string }) {
    await setCertificate(id, 'REVOKED')
    await client
      .send(new DetachThingPrincipalCommand({ thingName: thing, principal: arn }))
      .catch(ignore(ResourceNotFoundException))
  }

  return {
    async ensureThing(thing, kind) {
      await client
        .send(new CreateThingTypeCommand({ thingTypeName: kind }))
        .catch(ignore(ResourceAlreadyExistsException))
      await client.send(new CreateThingCommand({ thingName: thing, thingTypeName: kind }))
    },
    createCertificate,
    setCertificate,
    discardCertificate,
    async certificatesOf(thing) {
      const { principals = [] } = await client.send(new ListThingPrincipalsCommand({ thingName: thing }))
      return principals.flatMap((arn) => arn.split(':cert/')[1] ?? [])
    },
    async kindOf(thing) {
      const found = await client
        .send(new DescribeThingCommand({ thingName: thing }))
        .catch(ignore(ResourceNotFoundException))
      return found === undefined ? undefined : (found.thingTypeName ?? null)
    },
    async listThings(max) {
      const found: { thing: string; kind: string | undefined }[] = []
      let nextToken: string | undefined
      do {
        const page = await client.send(new ListThingsCommand({ maxResults: PAGE, nextToken }))
        for (const { thingName = '', thingTypeName } of page.things ?? [])
          found.push({ thing: thingName, kind: thingTypeName })
        nextToken = page.nextToken
      } while (nextToken !== undefined && found.length < max)
      return found.slice(0, max)
    },
    close: () => client.destroy(),
  }
}

function ignore(kind: abstract new (...args: never[]) => Error): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof kind)) throw error
    return undefined
  }
}
