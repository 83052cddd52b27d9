import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PORTS } from '../../contract/src/local-stack.ts'
import { freePorts } from '../../local/src/supervisor/ports.ts'
import { type Containers, openContainers, ROOT, skipContainers as skip, USER } from './containers.ts'

t.setTimeout(600_000)

const IMAGE_MAX_BYTES = { gateway: 200e6, web: 200e6 }
/** `mem_limit`, bytes: BENCHMARKS.md says what they need. */
const MEMORY = { gateway: 400 * 2 ** 20, web: 512 * 2 ** 20 }
const AWS = 'AWS_REGION=us-east-1\nAWS_ACCESS_KEY_ID=local\nAWS_SECRET_ACCESS_KEY=local\n'
const TOKEN = 'a-token-of-the-test-0123456789'
const ADMIN = { name: 'Ana', email: 'ana@example.com', password: 'correct horse battery staple' }

t.test('docker/compose.yaml runs a gateway and a web server', { skip, timeout: 500_000 }, async (t) => {
  const containers = await openContainers('gateway', 'web')
  t.teardown(() => containers.close())
  const { folder, file, compose } = project(t, containers, 'compose.yaml')
  const ports = await freePorts()
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets)
  writeFileSync(join(secrets, 'fleet-keys.json'), JSON.stringify({ 1: 'ab'.repeat(32) }), { mode: 0o600 })
  for (const path of [secrets, join(secrets, 'fleet-keys.json')]) chownSync(path, USER, USER)
  writeFileSync(
    join(folder, 'gateway.env'),
    `${AWS}AWS_ENDPOINT_URL_SQS=http://127.0.0.1:1
PESEBRE_QUEUE_URL=http://127.0.0.1:1/000000000000/reports
PESEBRE_FLEET_KEYS=/run/secrets/fleet-keys.json
PESEBRE_COAP_HOST=127.0.0.1
PESEBRE_COAP_PORT=${ports.coap}
PESEBRE_ADMIN_PORT=${ports.admin}
`,
  )
  writeFileSync(
    join(folder, 'web.env'),
    `${AWS}PESEBRE_WEB_PORT=${ports.web}
PESEBRE_WEB_ADMIN_PORT=${ports.webAdmin}
PESEBRE_WEB_URL=http://localhost:${ports.web}
PESEBRE_SETUP_TOKEN=${TOKEN}
PESEBRE_FLEET_KEYS=/run/secrets/fleet-keys.json
`,
  )
  await compose('up', '-d', '--no-build')
  const log = (service: string) => containers.run('podman', 'logs', `${file}_${service}_1`)

  for (const service of ['gateway', 'web'] as const) {
    const name = `${file}_${service}_1`
    await until(`${service} is well`, () => containers.run('podman', 'healthcheck', 'run', name))
    const { State, HostConfig, EffectiveCaps, ImageName } = await inspect(containers, name)
    t.equal(HostConfig.ReadonlyRootfs, true, `${service}: its root is read-only`)
    t.equal(HostConfig.Memory, MEMORY[service], 'its memory is limited')
    t.equal(HostConfig.NetworkMode, 'host', 'it sees who sends')
    t.equal(HostConfig.RestartPolicy.Name, 'always', 'it comes back')
    t.strictSame(EffectiveCaps ?? [], [], 'without capabilities')
    const status = readFileSync(`/proc/${State.Pid}/status`, 'utf8')
    t.match(status, new RegExp(`Uid:\\s+${USER}\\s`), 'as another user than root')
    t.match(status, /CapBnd:\s+0+\n/)
    t.match(status, /NoNewPrivs:\s+1/)
    t.comment(`${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1000)} MB resident`)
    const [image] = JSON.parse(await containers.run('podman', 'image', 'inspect', ImageName)) as [Image]
    t.comment(`the image of ${service} has ${Math.round(image.Size / 1e6)} MB`)
    t.ok(image.Size <= IMAGE_MAX_BYTES[service], 'at most 200 MB')
    t.equal(image.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')
    for (const program of ['sh', 'bash', 'busybox', 'npm'])
      t.equal(
        await fails(containers.run('podman', 'exec', name, program, '--version')),
        true,
        `no ${program}`,
      )
  }
  t.match(await log('gateway'), '"oscore":true', 'the secrets are where the settings say')
  t.notMatch(await log('gateway'), 'no recvmmsg', 'the binary of koffi is in the image, and loads')

  const web = `http://localhost:${ports.web}`
  const page = await fetch(web)
  t.equal(page.status, 200)
  t.match(await page.text(), /<script type="module"/, 'the page')
  t.equal((await fetch(`http://127.0.0.1:${ports.webAdmin}/healthz`)).status, 200)
  const set = await post(`${web}/api/setup`, { token: TOKEN, ...ADMIN })
  t.equal(set.status, 201, 'it is set up from nothing')

  const began = performance.now()
  await compose('stop')
  t.comment(`${Math.round(performance.now() - began)} ms to stop both`)
  for (const service of ['gateway', 'web']) {
    const { State } = await inspect(containers, `${file}_${service}_1`)
    t.equal(State.ExitCode, 0, `${service}: SIGTERM stops it in the time that it is given`)
  }
  t.match(await log('web'), 'web stopped')
  for (const service of ['gateway', 'web']) {
    const { Config } = await inspect(containers, `${file}_${service}_1`)
    const [, program = '', ...args] = Config.Healthcheck.Test
    const settings = ['--network', 'host', '--env-file', join(folder, `${service}.env`)]
    const check = ['--entrypoint', program, ...settings, `pesebre-${service}`, ...args]
    t.equal(
      await fails(containers.run('podman', 'run', '--rm', ...check)),
      true,
      `${service}: its HEALTHCHECK says so`,
    )
  }

  await compose('start')
  await until('the web server is back', async () => (await fetch(`${web}/api/session`)).text())
  const signedIn = await post(`${web}/api/session`, { email: ADMIN.email, password: ADMIN.password })
  t.equal(signedIn.status, 200, 'the database is on the volume')
})

t.test('docker/compose.local.yaml runs the whole product', { skip, timeout: 500_000 }, async (t) => {
  const containers = await openContainers('local')
  t.teardown(() => containers.close())
  const ports = await freePorts()
  const env = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [PORTS[name as 'coap'].setting, `${port}`]),
  )
  const { file, compose } = project(t, containers, 'compose.local.yaml', env)
  await compose('up', '-d', '--no-build')
  const name = `${file}_pesebre_1`
  await until('all is ready', async () => {
    if (!(await containers.run('podman', 'logs', name)).includes('pesebre is ready'))
      throw new Error('Not ready')
  })
  t.match(
    await containers.run('podman', 'healthcheck', 'run', name),
    '',
    'its HEALTHCHECK says that it is well',
  )
  const thing = '/feeder/bella'
  await containers.run('podman', 'exec', name, 'pesebre', 'post', thing, '-d', '{"hopper_pct":62}')
  await until('the report is in the shadow', async () => {
    const shadow = await (await fetch(`http://127.0.0.1:${ports.iot}/things/bella/shadow`)).text()
    if (!shadow.includes('"hopper_pct":62')) throw new Error(shadow)
  })
  t.match(
    await containers.run('podman', 'exec', name, 'npx', 'pesebre', 'probe'),
    /works|ok|ms/,
    'the command line is in it',
  )
  t.match(
    await (await fetch(`http://localhost:${ports.web}`)).text(),
    /<script type="module"/,
    'and the pages',
  )
  await compose('stop')
  t.equal((await inspect(containers, name)).State.ExitCode, 0, 'SIGINT stops it')
})

type Image = { Size: number; Labels: Record<string, string> }
type Standing = {
  State: { Pid: number; ExitCode: number }
  Config: { Healthcheck: { Test: string[] } }
  HostConfig: {
    ReadonlyRootfs: boolean
    /** Bytes. */
    Memory: number
    NetworkMode: string
    RestartPolicy: { Name: string }
  }
  EffectiveCaps: string[] | null
  ImageName: string
}

async function inspect(containers: Containers, name: string): Promise<Standing> {
  const [standing] = JSON.parse(await containers.run('podman', 'inspect', name)) as [Standing]
  return standing
}

/** A copy of a compose file in a folder of its own, since settings lie beside it; its name is the project's. */
function project(t: Test, containers: Containers, compose: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pesebre-compose-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(ROOT, 'docker', compose), join(folder, compose))
  const file = folder.split('/').at(-1)!.toLowerCase()
  const run = (...args: string[]) =>
    containers.compose({ folder, file: compose, env: { ...env, COMPOSE_PROJECT_NAME: file } }, ...args)
  t.teardown(async () => void (await run('down', '--volumes').catch(() => undefined)))
  return { folder, file, compose: run }
}

function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json', origin: new URL(url).origin }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function fails(done: Promise<unknown>): Promise<boolean> {
  return done.then(
    () => false,
    () => true,
  )
}

/** Tries again until `attempt` does not reject, for a minute. */
async function until(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + 60_000
  for (;;) {
    try {
      await attempt()
      return
    } catch (cause) {
      if (Date.now() > end) throw new Error(`Waited for a minute: ${what}`, { cause })
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}
