/**
 * Names as AWS IoT knows them. Thing names and thing type names share one rule
 * (AWS IoT API Reference, CreateThing and CreateThingType: pattern [a-zA-Z0-9:_-]+, 1 to 128 characters).
 */
export const THING_NAME_PATTERN = '^[a-zA-Z0-9:_-]{1,128}$'

const thingName = new RegExp(THING_NAME_PATTERN)

export function isThingName(name: string): boolean {
  return thingName.test(name)
}
