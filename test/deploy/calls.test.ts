import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Registered } from '@pesebre/contract/api/device'
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { PictureForm } from '@pesebre/contract/api/picture'
import type { Session } from '@pesebre/contract/api/session'
import { FLEET_KEYS_FILE, LOCAL_REGION } from '@pesebre/contract/local-stack'
import t from 'tap'
import { drawPortrait } from '../../local/src/demo/portrait.ts'
import { DEMO_PASSWORD, demoEmail } from '../../local/src/demo/seed.ts'
import { type WebClient, webClient } from '../../local/src/demo/web-client.ts'
import { PROCESSES, type ProcessSpec } from '../../local/src/supervisor/processes.ts'
import { ROOT, type Stack, startStack } from '../../local/src/supervisor/stack.ts'
import { type AwsRecorder, startAwsRecorder } from '../fakes/aws-recorder.ts'
import { nameInList, readPermissions } from './permissions.ts'

t.setTimeout(180_000)

const FLEET_KEYS = '/pesebre/fleet-keys'

/** Stands in for AWS Lambda, and with it for the event source mapping, whose calls are none of the product's. */
const LAMBDA = 'lambda'
/** What the list has is made within so long: the archive is a second late, and its index another one. */
const SOON_MS = 60_000

/**
 * The whole product runs, people do everything that leads to a call of AWS, and what arrives at the stand-ins is compared with
 * terraform/permissions.json. permissions.test.ts compares that with what Terraform grants.
 */
t.test(
  'the calls that are made to AWS are those of terraform/permissions.json',
  { timeout: 170_000 },
  async (t) => {
    const recorder = await startAwsRecorder()
    t.teardown(() => recorder.close())
    const processes = PROCESSES.map((spec) => throughRecorder(spec, recorder))
    const stack = await startStack({
      home: t.testdir(),
      ports: 'free',
      env: { PATH: process.env['PATH'] },
      processes,
    })
    t.teardown(() => stack.stop())
    await Promise.all([work(stack, recorder), operate(stack, recorder)])

    const listed = Object.entries(readPermissions().processes).flatMap(([process, actions]) =>
      Object.entries(actions).flatMap(([action, resources]) =>
        resources.map((resource) => `${process} ${action} ${resource}`),
      ),
    )
    const until = Date.now() + SOON_MS
    while (!listed.every((call) => callsSeenBy(recorder).has(call)) && Date.now() < until) await sleep(100)
    t.strictSame([...callsSeenBy(recorder)].sort(), listed.sort())
  },
)

function callsSeenBy(recorder: AwsRecorder): Set<string> {
  const consumer = readPermissions().surroundings['queue consumer']!
  return new Set(
    recorder
      .calls()
      .filter(({ who, action }) => who !== LAMBDA || !consumer.includes(action))
      .map(
        ({ who, action, resource }) => `${who === LAMBDA ? 'bridge' : who} ${action} ${nameInList(resource)}`,
      ),
  )
}

/** The process with its calls of AWS recorded, its fleet keys where they are on AWS, and an archive that does not take its time. */
function throughRecorder(spec: ProcessSpec, recorder: AwsRecorder): ProcessSpec {
  if (!['gateway', LAMBDA, 'web'].includes(spec.name)) return spec
  return {
    ...spec,
    env: (surroundings) => {
      recorder.forwardTo(surroundings.ports)
      const own = spec.env(surroundings)
      if (own['PESEBRE_FLEET_KEYS'] !== undefined)
        recorder.parameters.set(
          `${LOCAL_REGION}:${FLEET_KEYS}`,
          readFileSync(join(surroundings.home, FLEET_KEYS_FILE), 'utf8'),
        )
      return {
        ...own,
        ...recorder.environment(spec.name),
        ...(own['PESEBRE_FLEET_KEYS'] !== undefined && { PESEBRE_FLEET_KEYS: `ssm:${FLEET_KEYS}` }),
        PESEBRE_ARCHIVE_ROTATE_S: '1',
        PESEBRE_HISTORY_POLL_S: '1',
      }
    },
  }
}

/** What admins and owners do, apart from what the demo does by itself; and a report that is none, for the bridge. */
async function work({ web, ports }: Stack, recorder: AwsRecorder): Promise<void> {
  const admin = await signedIn(web!.url, 'admin')
  await admin.call('GET', '/api/devices')
  await admin.call('GET', '/api/hops')
  await admin.call('POST', '/api/devices', { kind: 'feeder' })
  const { device } = await admin.call<Registered>('POST', '/api/devices', { kind: 'camera' })
  await admin.call('POST', `/api/devices/${device.thing}/revoke`)
  // A camera that cannot be finished is undone.
  recorder.refuseOnce('iot:AttachThingPrincipal')
  await admin.call('POST', '/api/devices', { kind: 'camera' }).catch(() => undefined)

  const owner = await signedIn(web!.url, 'owner')
  const { stables } = await owner.call<Session>('GET', '/api/session')
  const cards = await owner.call<HorseCard[]>('GET', `/api/stables/${stables[0]!.id}/horses`)
  const { id } = cards.find(({ horse }) => horse.feeder === null)!.horse
  await portray(owner, id)
  await owner.call('GET', `/api/horses/${id}/picture`)
  // A device without security, put at a horse, is looked at.
  await admin.call('PUT', '/api/devices/demo-luna/assignment', { horse: id, schedule: 'clear' })

  const sqs = new SQSClient({
    endpoint: `http://127.0.0.1:${ports.aws}`,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
  })
  const QueueUrl = `http://127.0.0.1:${ports.aws}/000000000000/pesebre-reports`
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'no report' }))
  sqs.destroy()
}

async function signedIn(url: string, role: 'admin' | 'owner'): Promise<WebClient> {
  const client = webClient(url)
  await client.call('POST', '/api/session', { email: demoEmail(role), password: DEMO_PASSWORD })
  return client
}

async function portray(owner: WebClient, horse: string): Promise<void> {
  const picture = await drawPortrait('bay')
  const path = `/api/horses/${horse}/picture`
  const type = 'image/jpeg'
  const { url, fields } = await owner.call<PictureForm>('POST', path, { type, size: picture.length })
  const form = new FormData()
  for (const [key, value] of Object.entries(fields)) form.append(key, value)
  form.append('file', new Blob([new Uint8Array(picture)], { type }))
  const { ok, status } = await fetch(url, { method: 'POST', body: form })
  if (!ok) throw new Error(`Send a picture: ${status}`)
  await owner.call('POST', `${path}/done`)
}

/** The functions that operate the product, and the backups. */
async function operate({ ports, home }: Stack, recorder: AwsRecorder): Promise<void> {
  const run = (name: string, env: Record<string, string>, ...args: string[]) =>
    promisify(execFile)(process.execPath, args, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], AWS_REGION: LOCAL_REGION, ...recorder.environment(name), ...env },
    })
  const invoke = (name: string, env: Record<string, string>, event: object) =>
    run(
      name,
      env,
      '--input-type=module',
      '-e',
      `const { handler } = await import('${ROOT}ops-lambda/src/${name}/handler.ts')
       await handler(${JSON.stringify(event)})
       process.exit(0)`,
    )
  const secretsAndProbe = async () => {
    const clients = { 'pesebre-gateway-a': 'pesebre-gateway' }
    const asked = { clients, probes: { a: 1 }, admin: true, replicas: ['eu-central-1'] }
    await invoke('setup', { PESEBRE_PARAMETERS: '/pesebre' }, asked)
    const settings = {
      PESEBRE_PROBE_PARAMETER: '/pesebre/probe',
      PESEBRE_HOME_REGION: LOCAL_REGION,
      PESEBRE_IOT_ENDPOINT: recorder.environment('probe')['AWS_ENDPOINT_URL_IOT']!,
      PESEBRE_INSTALLATION: 'pesebre',
    }
    await invoke('probe', settings, { id: 'a', host: '127.0.0.1', port: ports.coap })
  }
  const secondRegion = async () => {
    const home = `http://127.0.0.1:${ports.aws}/000000000000/pesebre-reports`
    const body = '{"v":1,"gateway":"c","batch":"01J","records":[]}'
    const settings = { PESEBRE_HOME_QUEUE_URL: home, PESEBRE_HOME_REGION: LOCAL_REGION }
    await invoke('forwarder', settings, { Records: [{ messageId: '1', body }] })
  }
  const backups = async () => {
    const settings = (dir: string) => ({ PESEBRE_BUCKET: 'pesebre', PESEBRE_WEB_DIR: join(home, dir) })
    await run('web', settings('web'), 'web/server/src/backup-main.ts', 'save')
    await run('web', settings('restored'), 'web/server/src/backup-main.ts', 'restore')
  }
  await Promise.all([secretsAndProbe(), secondRegion(), backups()])
}
