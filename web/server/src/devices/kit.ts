import type { DownloadForm } from '@pesebre/contract/api/device'
import { type DeviceIdentity, qrTextOf } from '@pesebre/contract/identity'
import { headerOf } from '@pesebre/contract/registration'
import { strToU8, zipSync } from 'fflate'
import { renderSVG } from 'uqr'

/** One file of what is flashed into a device. */
export type KitFile = { readonly name: string; readonly type: string; readonly bytes: Uint8Array }

/** What is flashed into a device, in every form that it has. It holds the device's key. */
export type Kit = ReadonlyMap<DownloadForm, KitFile>

/** What a camera, or another device that speaks MQTT, needs. */
export type MqttKit = {
  readonly thing: string
  readonly name: string | undefined
  /** Where AWS IoT is. */
  readonly host: string
  readonly port: number
  /** PEM. */
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

/** For a device that speaks CoAP. */
export function coapKit(identity: DeviceIdentity): Kit {
  const { thing } = identity
  const json = file(`${thing}.json`, 'application/json', `${JSON.stringify(identity, null, 2)}\n`)
  const header = file('identity.h', 'text/x-c', headerOf(identity))
  const qr = file(`${thing}.svg`, 'image/svg+xml', renderSVG(qrTextOf(identity)))
  return new Map([
    ['json', json],
    ['header', header],
    ['qr', qr],
    ['zip', zip(thing, [json, header, qr])],
  ])
}

/** For a device that speaks MQTT. */
export function mqttKit(kit: MqttKit): Kit {
  const { thing, name, host, port, certificate, key, authority } = kit
  const where = { thing, ...(name !== undefined && { name }), host, port }
  const json = file(
    `${thing}.json`,
    'application/json',
    `${JSON.stringify({ ...where, certificate, key, authority }, null, 2)}\n`,
  )
  const files = [
    file('certificate.pem', 'application/x-pem-file', certificate),
    file('private-key.pem', 'application/x-pem-file', key),
    file('authority.pem', 'application/x-pem-file', authority),
    file('endpoint.json', 'application/json', `${JSON.stringify(where, null, 2)}\n`),
  ]
  return new Map([
    ['json', json],
    ['zip', zip(thing, files)],
  ])
}

function file(name: string, type: string, text: string): KitFile {
  return { name, type, bytes: strToU8(text) }
}

/** All in one directory of the thing's name, so that unpacking two does not mix them. */
function zip(thing: string, files: readonly KitFile[]): KitFile {
  const entries = Object.fromEntries(files.map(({ name, bytes }) => [`${thing}/${name}`, bytes]))
  return { name: `${thing}.zip`, type: 'application/zip', bytes: zipSync(entries) }
}
