import { randomBytes, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  IoTClient,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot'
import { FLEET_KEY_BYTES } from '@pesebre/contract/kid'
import { FLEET_KEYS_FILE, LOCAL_REGION } from '@pesebre/contract/local-stack'
import { POLICIES, type PolicyKind, policyDocument, WEB_THING } from '@pesebre/contract/policies'
import { type GatewayId, gatewayFiles, type MqttFiles, webFiles } from './gateway-files.ts'

/** The thing that stands for a gateway, and the client id of its MQTT connection. */
export function gatewayThing(id: string): string {
  return `pesebre-gateway-${id}`
}

/**
 * Makes the fleet keys, if the home has none: one key, of version 1. The file is the owner's only.
 * @returns its path
 */
export function ensureFleetKeys(home: string): string {
  const path = join(home, FLEET_KEYS_FILE)
  if (!existsSync(path))
    writeSecret(path, `${JSON.stringify({ 1: randomBytes(FLEET_KEY_BYTES).toString('hex') })}\n`)
  return path
}

/**
 * Gives each gateway a thing and a certificate of AWS IoT, with the policy that lets it in. One that it has already, and that
 * AWS IoT knows as active, is kept.
 * @param endpoint of the control plane of AWS IoT
 */
export async function ensureGatewayCertificates(
  home: string,
  { endpoint, ids }: { endpoint: string; ids: readonly GatewayId[] },
): Promise<void> {
  const iot = localIot(endpoint)
  try {
    await ensurePolicies(iot)
    for (const id of ids)
      await ensureCertificate(iot, gatewayFiles(home, id), { thing: gatewayThing(id), kind: 'gateway' })
  } finally {
    iot.destroy()
  }
}

/** Gives the web server its thing and certificate in the same way, and makes the policies that it attaches to devices. */
export async function ensureWebCertificate(home: string, endpoint: string): Promise<void> {
  const iot = localIot(endpoint)
  try {
    await ensurePolicies(iot)
    await ensureCertificate(iot, webFiles(home), { thing: WEB_THING, kind: 'web' })
  } finally {
    iot.destroy()
  }
}

async function ensurePolicies(iot: IoTClient): Promise<void> {
  for (const [kind, policyName] of Object.entries(POLICIES) as [PolicyKind, string][]) {
    const document = JSON.stringify(policyDocument(kind, LOCAL_REGION))
    await ignoring(
      ResourceAlreadyExistsException,
      iot.send(new CreatePolicyCommand({ policyName, policyDocument: document })),
    )
  }
}

/** A client of the control plane of the stand-in. */
export function localIot(endpoint: string): IoTClient {
  return new IoTClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
}

async function ensureCertificate(
  iot: IoTClient,
  files: MqttFiles,
  { thing: thingName, kind }: { thing: string; kind: PolicyKind },
): Promise<void> {
  await ignoring(ResourceAlreadyExistsException, iot.send(new CreateThingCommand({ thingName })))
  if (existsSync(files.key) && (await isActive(iot, files.certificate))) return
  const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }))
  const { certificateArn: principal, certificatePem = '', keyPair } = made
  await iot.send(new AttachPolicyCommand({ policyName: POLICIES[kind], target: principal }))
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal }))
  writeSecret(files.key, keyPair?.PrivateKey ?? '')
  // Last: where it is, everything else is, whenever the process may have been killed.
  writeSecret(files.certificate, certificatePem)
}

async function isActive(iot: IoTClient, path: string): Promise<boolean> {
  return existsSync(path) && isCertificateActive(iot, readFileSync(path, 'utf8'))
}

/** Whether AWS IoT takes a certificate (PEM): its data may have been deleted without those of who has it. */
export async function isCertificateActive(iot: IoTClient, certificate: string): Promise<boolean> {
  const { fingerprint256 } = new X509Certificate(certificate)
  const certificateId = fingerprint256.replaceAll(':', '').toLowerCase()
  const described = await ignoring(
    ResourceNotFoundException,
    iot.send(new DescribeCertificateCommand({ certificateId })),
  )
  return described?.certificateDescription?.status === 'ACTIVE'
}

/** What the call says; undefined when it fails with this error. */
export async function ignoring<T>(
  kind: abstract new (...args: never[]) => Error,
  call: Promise<T>,
): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof kind) return undefined
    throw error
  }
}

/** Whole or not at all, and only for the owner. */
export function writeSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
