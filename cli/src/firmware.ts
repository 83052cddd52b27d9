/** Releases of firmware as a person meets them on the command line: images, shares of a fleet, and how far a device is. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { FIRMWARE_SIZE_MAX, type FirmwareRelease } from '@pesebre/contract/check-in'
import type { Control } from '@pesebre/contract/control'
import { Failure, type Paint } from './command.ts'

/** An image whose host says nothing for so long counts as away, milliseconds. */
const PATIENCE_MS = 60_000

/** Start of `esp_app_desc_t` in an image of ESP-IDF, behind the headers of image and first segment; and its version, a text. */
const ESP = { magic: 0xe9, description: 32, word: 0xabcd5432, version: 48, versionEnd: 80 } as const

/** Reads an image, and makes a release of it. @throws Failure for one that no device can take, or that says another version */
export async function releaseOf(file: string, version: number, url: string): Promise<FirmwareRelease> {
  const image = await readFile(file).catch((error: Error) => {
    throw new Failure(`Cannot read the image: ${error.message}`)
  })
  if (image.length === 0 || image.length > FIRMWARE_SIZE_MAX)
    throw new Failure(`An image has 1 to ${FIRMWARE_SIZE_MAX} bytes: ${file} has ${image.length}`)
  const said = versionIn(image)
  if (said !== undefined && said !== String(version))
    throw new Failure(`The image says that it is another version (PROJECT_VER): ${said}, not ${version}`)
  return { version, size: image.length, sha256: digestOf(image), url }
}

/** What an image of ESP-IDF says of its version; undefined for others. */
function versionIn(image: Buffer): string | undefined {
  if (image.length < ESP.versionEnd || image[0] !== ESP.magic) return undefined
  if (image.readUInt32LE(ESP.description) !== ESP.word) return undefined
  return image.toString('latin1', ESP.version, ESP.versionEnd).split('\0')[0]
}

/** Fetches what devices would fetch. @throws Failure when it is not the image of the release */
export async function checkHost({ url, size, sha256 }: FirmwareRelease): Promise<void> {
  let served: Buffer
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (response.status !== 200) throw new Error(`it answers ${response.status}`)
    served = Buffer.from(await response.arrayBuffer())
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message : message
    throw new Failure(
      `Cannot fetch the image where devices would (--unchecked leaves this out): ${why}: ${url}`,
    )
  }
  if (served.length !== size || digestOf(served) !== sha256)
    throw new Failure(
      `What is served there is not the image: ${served.length} bytes, not ${size}, or others: ${url}`,
    )
}

function digestOf(image: Uint8Array): string {
  return createHash('sha256').update(image).digest('hex')
}

/**
 * Whether a device is among the first `percent` of a release. Who is in 10 % is in 50 %, too; another version begins with others, so
 * that it is not always the same horses whose feeder is the first.
 */
export function isInShare(thing: string, version: number, percent: number): boolean {
  const hash = createHash('sha256').update(`${version} ${thing}`).digest().readUInt32BE(0)
  return hash < (percent / 100) * 2 ** 32
}

export type FirmwareStanding = {
  readonly thing: string
  readonly runs?: number | undefined
  readonly wanted?: number | undefined
  readonly state: 'as wanted' | 'pending' | 'failed'
  readonly problem?: string | undefined
}

/** How far a device is with the release that it should run. */
export function firmwareStanding(thing: string, { desired, reported }: Control): FirmwareStanding {
  const [runs, wanted] = [reported.firmware?.version, desired.firmware?.version]
  const { tried, problem } = reported.firmware ?? {}
  const state =
    wanted === undefined || wanted === runs
      ? 'as wanted'
      : problem !== undefined && tried === wanted
        ? 'failed'
        : 'pending'
  return { thing, runs, wanted, state, ...(state === 'failed' && { problem }) }
}

/** By the contract's names. */
const PROBLEMS: Readonly<Record<string, string>> = {
  unreachable: 'it could not fetch the image',
  digest: 'what it fetched has another digest, and was not booted',
  storage: 'its flash could not be written, or is too small',
  rolled_back: 'the new one did not come up, or had no answer from a gateway: the old one runs again',
}

/** The same for the eye, in one line. */
export function firmwareText({ runs, wanted, state, problem = '' }: FirmwareStanding, paint: Paint): string {
  const has = runs === undefined ? 'has not said what it runs' : `runs ${runs}`
  if (state === 'as wanted') return paint('dim', `firmware: ${has}`)
  if (state === 'pending') return paint('yellow', `firmware ${wanted} pending: the device ${has}`)
  return paint('red', `firmware ${wanted} failed: ${PROBLEMS[problem] ?? problem}; the device ${has}`)
}
