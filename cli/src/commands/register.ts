import { createHmac, randomInt } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { type DeviceIdentity, type GatewayAddress, qrTextOf } from '@pesebre/contract/identity'
import { DEVICE_NUMBER_MAX, isKind, KINDS, type KidKind } from '@pesebre/contract/kid'
import { admit, DEVICE_NAME_MAX, headerOf, makeIdentity, parseGateways } from '@pesebre/contract/registration'
import { positionalsOf } from '../args.ts'
import { type Args, type Command, EXIT, Failure, type Io, Misuse } from '../command.ts'
import { flashOf, NVS_SIZE } from '../flash.ts'
import { fleetKeysPlace, newestFleetKey } from '../fleet-keys.ts'
import { type NvsContent, nvsCsv, nvsImage } from '../nvs.ts'
import { localPort, TARGET_HELP, TARGET_OPTIONS, type Target, targetOf } from '../target.ts'

const KID_KINDS = Object.keys(KINDS).filter((kind) => kind !== 'camera') as KidKind[]
const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha256', key).update(data).digest()

/** `register`: makes a device known, and prints what must be flashed into it. */
export const register: Command = {
  name: 'register',
  summary: 'Register a device: its thing, its control shadow, and its key to be flashed',
  usage: '<kind> [--name <name>] [options]',
  about: [
    `Kinds: ${KID_KINDS.join(', ')}.`,
    [
      'The key is derived from the newest fleet key and shown this once: as text and QR image, with --json as JSON, and in',
      'the files that you name. Fleet keys: PESEBRE_FLEET_KEYS, a file {"1":"<64 hex digits>"} or ssm:<parameter>;',
      'for the local stack fleet-keys.json in PESEBRE_HOME.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: {
    name: { type: 'string', value: 'name', help: 'What people call it' },
    number: { type: 'string', value: 'hex', help: 'Its number, up to 8 hex digits (random)' },
    gateways: {
      type: 'string',
      value: 'list',
      help: 'Where it finds gateways: id=host:port,... (of the local stack)',
    },
    out: { type: 'string', value: 'file', help: 'Write a JSON file, for tools' },
    header: { type: 'string', value: 'file', help: 'Write a C header, for firmware' },
    qr: { type: 'string', value: 'file', help: 'Write the QR image as SVG' },
    nvs: {
      type: 'string',
      value: 'file',
      help: 'Write an image of the NVS partition, to be flashed at 0x9000',
    },
    'nvs-csv': {
      type: 'string',
      value: 'file',
      help: 'Write the same for nvs_partition_gen, which can encrypt',
    },
    ssid: { type: 'string', value: 'name', help: 'Its Wi-Fi, for NVS; PESEBRE_WIFI_PASSWORD has the key' },
    ...TARGET_OPTIONS,
  },
  examples: [
    ['register feeder --name "Bella\'s feeder"', 'in the local stack'],
    [
      'register feeder --out bella.json --header identity.h --qr bella.svg',
      'with files, which only you can read',
    ],
    [
      'register feeder --gateways a=192.0.2.7:5683 --ssid stable --nvs bella.nvs.bin',
      'with what is flashed beside the firmware',
    ],
    [
      'register sensor --aws --gateways a=coap-a.example.org:5683,b=coap-b.example.org:5683',
      'in AWS, with two gateways',
    ],
  ],
  run: async (args, io) => {
    const [kind] = positionalsOf(args, 'kind') as [string]
    const target = targetOf(args, io.env)
    const input = {
      kind: kindOf(kind),
      number: numberOf(args),
      name: nameOf(args),
      gateways: gatewaysOf(args, io, target),
    }
    const place = fleetKeysPlace(io.env, target.isLocal)
    if (place === undefined)
      throw new Failure('No fleet keys: set PESEBRE_FLEET_KEYS to their file or ssm:<parameter>')
    const fleetKey = await newestFleetKey(place)
    const identity = makeIdentity({ ...input, fleetKey }, hmac)
    const content = () => nvsContentOf(identity, args, io)
    const { renderSVG, renderUnicodeCompact } = await import('uqr')
    const files = await writeFiles([
      [args.text['out'], () => `${JSON.stringify(identity, null, 2)}\n`],
      [args.text['header'], () => headerOf(identity)],
      [args.text['qr'], () => renderSVG(qrTextOf(identity))],
      [args.text['nvs'], () => nvsImage(content(), NVS_SIZE)],
      [args.text['nvs-csv'], () => nvsCsv(content())],
    ])
    try {
      await makeKnown(target, { kind: input.kind, identity, isChosen: args.text['number'] !== undefined })
    } catch (error) {
      await Promise.all(files.map((file) => rm(file, { force: true })))
      throw error
    }
    if (args.flag['json']) {
      io.out(JSON.stringify(identity))
      return EXIT.ok
    }
    print({ identity, files, target }, io)
    io.out(renderUnicodeCompact(qrTextOf(identity), { border: 2 }))
    return EXIT.ok
  },
}

/** Thing type, thing, and last the control shadow, which lets the device in. */
async function makeKnown(
  target: Target,
  { kind, identity, isChosen }: { kind: KidKind; identity: DeviceIdentity; isChosen: boolean },
): Promise<void> {
  const { thing, name } = identity
  const [{ openControls }, { ensureThing }] = await Promise.all([
    import('../control.ts'),
    import('../registry.ts'),
  ])
  const { make } = openControls(target)
  const ports = { change: make, ensureThing: (name: string) => ensureThing(target, name, kind) }
  if (await admit(ports, { thing, name, isChosen, now: Date.now() })) return
  throw new Failure(`Registered already in ${target.iotPlace}: choose another --number, or none: ${thing}`)
}

/** @throws Misuse for a device that has no such partition, or a network without its key */
function nvsContentOf(identity: DeviceIdentity, { text }: Args, { env }: Io): NvsContent {
  if (!identity.thing.startsWith('feeder-')) throw new Misuse('Only a feeder has an NVS partition of ours')
  const [ssid, password] = [text['ssid'], env['PESEBRE_WIFI_PASSWORD']]
  if ((ssid === undefined) !== (password === undefined))
    throw new Misuse('--ssid and PESEBRE_WIFI_PASSWORD go together')
  return flashOf(identity, ssid === undefined || password === undefined ? undefined : { ssid, password })
}

function kindOf(kind: string): KidKind {
  if (isKind(kind) && kind !== 'camera') return kind
  throw new Misuse(`The kind must be one of ${KID_KINDS.join(', ')}: "${kind}"`)
}

function numberOf({ text }: Args): number {
  const given = text['number']
  if (given === undefined) return randomInt(DEVICE_NUMBER_MAX + 1)
  if (/^[0-9a-fA-F]{1,8}$/.test(given)) return Number.parseInt(given, 16)
  throw new Misuse(`--number must be up to 8 hex digits, as in the name of the thing: "${given}"`)
}

function nameOf({ text }: Args): string | undefined {
  const name = text['name']?.trim()
  if (name !== undefined && (name === '' || name.length > DEVICE_NAME_MAX))
    throw new Misuse(`--name must have 1 to ${DEVICE_NAME_MAX} characters: "${name}"`)
  return name
}

function gatewaysOf({ text }: Args, { env }: Io, target: Target): GatewayAddress[] {
  const given = text['gateways']
  if (given === undefined) return target.isLocal ? localGateways(env) : []
  const parsed = parseGateways(given)
  if ('bad' in parsed) throw new Misuse(`--gateways must be id=host:port,...: "${parsed.bad}"`)
  return parsed.gateways
}

/** Those of the local stack, which has two when PESEBRE_GATEWAYS says so. */
function localGateways(env: Io['env']): GatewayAddress[] {
  const host = '127.0.0.1'
  const first = { id: 'a', host, port: localPort('coap', env) }
  return env['PESEBRE_GATEWAYS']?.trim() === '2'
    ? [first, { id: 'b', host, port: localPort('coapB', env) }]
    : [first]
}

/** Only the owner may read them, and none that is there is overwritten: it may hold another device's key. */
async function writeFiles(
  wanted: readonly [string | undefined, () => string | Uint8Array][],
): Promise<string[]> {
  const written: string[] = []
  for (const [path, text] of wanted) {
    if (path === undefined) continue
    try {
      await writeFile(path, text(), { flag: 'wx', mode: 0o600 })
      written.push(path)
    } catch (error) {
      await Promise.all(written.map((file) => rm(file, { force: true })))
      if (error instanceof Misuse) throw error
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
      throw new Failure(
        `Cannot write the identity: ${isThere ? 'the file is there already, take another' : (error as Error).message}: ${path}`,
      )
    }
  }
  return written
}

function print(
  { identity, files, target }: { identity: DeviceIdentity; files: readonly string[]; target: Target },
  io: Io,
): void {
  const { thing, name, kid, secret, gateways } = identity
  const places = gateways.map(({ id, host, port }) => `${id} at ${host}:${port}`).join(', ')
  const line = (key: string, value: string) => io.out(`  ${io.paint('cyan', key.padEnd(8))} ${value}`)
  io.out(`${io.paint('bold', thing)}  ${io.paint('dim', `registered in ${target.iotPlace}`)}`)
  if (name !== undefined) line('name', name)
  line('kid', kid)
  line('secret', `${secret}  ${io.paint('yellow', 'shown this once')}`)
  if (places !== '') line('gateways', places)
  for (const file of files) line('written', file)
}
