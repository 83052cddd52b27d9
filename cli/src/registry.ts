import { CreateThingCommand, CreateThingTypeCommand, IoTClient, ListThingsCommand } from '@aws-sdk/client-iot'
import { awsFailure } from './aws-error.ts'
import { Failure } from './command.ts'
import type { Target } from './target.ts'

/** Puts a thing, and its type, into AWS IoT's registry. What is there with the same type is no error. @throws Failure */
export async function ensureThing(target: Target, thing: string, type: string): Promise<void> {
  const client = new IoTClient(target.iot)
  const place = { name: target.iotPlace, isLocal: target.isLocal }
  try {
    await client.send(new CreateThingTypeCommand({ thingTypeName: type })).catch(unlessExists)
    await client.send(new CreateThingCommand({ thingName: thing, thingTypeName: type }))
  } catch (error) {
    if (isExists(error))
      throw new Failure(
        `It is in ${place.name} already, with another type: choose another --number: ${thing}`,
      )
    throw awsFailure(error, `Cannot register ${thing}`, place)
  } finally {
    client.destroy()
  }
}

/** Names of all things of a type. @throws Failure */
export async function listThings(target: Target, type: string): Promise<string[]> {
  const client = new IoTClient(target.iot)
  const things: string[] = []
  let nextToken: string | undefined
  try {
    do {
      const page = await client.send(
        new ListThingsCommand({ thingTypeName: type, maxResults: 250, nextToken }),
      )
      for (const { thingName } of page.things ?? []) if (thingName !== undefined) things.push(thingName)
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return things
  } catch (error) {
    throw awsFailure(error, `Cannot list things of the type ${type}`, {
      name: target.iotPlace,
      isLocal: target.isLocal,
    })
  } finally {
    client.destroy()
  }
}

/** Of a type, all that matters here is its name. */
function unlessExists(error: unknown): void {
  if (!isExists(error)) throw error
}

function isExists(error: unknown): boolean {
  return (error as Error).name === 'ResourceAlreadyExistsException'
}
