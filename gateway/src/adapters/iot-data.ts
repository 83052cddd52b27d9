import {
  ConflictException,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'

/** A named shadow as it stands. */
export type ShadowDocument = { readonly version: number; readonly state: unknown }

export type IotData = {
  /** Reads a named shadow; undefined: there is none. Rejects when AWS cannot be asked. */
  read(thing: string, shadow: string): Promise<ShadowDocument | undefined>
  /**
   * Merges into `reported` of a named shadow if it still has this version (0: if it does not exist, as far as AWS lets one ask
   * that). Resolves with the new version, or undefined if somebody else was first. Rejects when AWS cannot be asked.
   */
  report(
    thing: string,
    shadow: string,
    change: { reported: unknown; version: number },
  ): Promise<number | undefined>
  close(): void
}

/** The data plane of AWS IoT. `endpoint` is where it is unless AWS_ENDPOINT_URL_IOT_DATA_PLANE says otherwise. */
export function openIotData(endpoint: string): IotData {
  const client = new IoTDataPlaneClient({
    ...(process.env['AWS_ENDPOINT_URL_IOT_DATA_PLANE'] ? {} : { endpoint, ...regionIn(endpoint) }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 3000, throwOnRequestTimeout: true },
  })

  async function read(thing: string, shadow: string): Promise<ShadowDocument | undefined> {
    try {
      const answer = await client.send(new GetThingShadowCommand({ thingName: thing, shadowName: shadow }))
      return documentOf(answer.payload)
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined
      throw error
    }
  }

  async function report(
    thing: string,
    shadow: string,
    { reported, version }: { reported: unknown; version: number },
  ): Promise<number | undefined> {
    const document = { state: { reported }, ...(version > 0 && { version }) }
    const payload = Buffer.from(JSON.stringify(document))
    try {
      const answer = await client.send(
        new UpdateThingShadowCommand({ thingName: thing, shadowName: shadow, payload }),
      )
      return documentOf(answer.payload).version
    } catch (error) {
      if (error instanceof ConflictException) return undefined
      throw error
    }
  }

  return { read, report, close: () => client.destroy() }
}

/** A gateway of a second region asks the first one's AWS IoT: the signature names that one. */
function regionIn(endpoint: string): { region?: string } {
  const region = /\.iot\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(endpoint)?.[1]
  return region === undefined ? {} : { region }
}

function documentOf(payload: Uint8Array | undefined): ShadowDocument {
  const { version, state } = JSON.parse(new TextDecoder().decode(payload)) as Partial<ShadowDocument>
  if (typeof version !== 'number') throw new Error('Cannot read a shadow: the answer has no version')
  return { version, state }
}
