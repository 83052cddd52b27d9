import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'

t.setTimeout(420_000)

const ROOT = new URL('../..', import.meta.url).pathname
const USER = 65_532
const IMAGE_MAX_BYTES = 200e6
/** Docker kills what has not stopped by then. */
const STOP_MAX_MS = 10_000

const skip = missing('buildah and debootstrap, as root', () => {
  onPath('buildah')
  onPath('debootstrap')
  if (process.getuid?.() !== 0) throw new Error('not root')
  execFileSync('unshare', ['--mount', 'true'])
})

t.test('the image of the gateway', { skip, timeout: 400_000 }, async (t) => {
  const work = process.env['PESEBRE_IMAGE_WORK'] ?? mkdtempSync(join(tmpdir(), 'pesebre-image-'))
  const buildah = (...args: string[]): string =>
    execFileSync('buildah', ['--root', join(work, 'store'), '--runroot', join(work, 'run'), ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    }).trim()
  t.teardown(() => {
    execFileSync('buildah', [
      '--root',
      join(work, 'store'),
      '--runroot',
      join(work, 'run'),
      'umount',
      '--all',
    ])
    if (process.env['PESEBRE_IMAGE_WORK'] === undefined) rmSync(work, { recursive: true, force: true })
  })
  execFileSync(join(ROOT, 'test/deploy/image-base.sh'), [work, 'localhost/base:test'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const image = 'localhost/pesebre-gateway:test'
  const options = [
    '--format',
    'docker',
    '--isolation',
    'chroot',
    '--pull-never',
    '--network',
    'host',
    '--quiet',
  ]
  buildah(
    'bud',
    ...options,
    '--build-arg',
    'BASE=localhost/base:test',
    '--target',
    'image',
    '-f',
    'docker/gateway/Dockerfile',
    '-t',
    image,
    '.',
  )

  const { Docker: docker } = JSON.parse(buildah('inspect', '--type', 'image', image)) as {
    Docker: {
      config: {
        User: string
        Healthcheck?: { Test: string[] }
        Entrypoint: string[]
        Env: string[]
        Labels: Record<string, string>
      }
    }
  }
  t.equal(docker.config.User, `${USER}:${USER}`, 'it runs as nobody in particular')
  t.strictSame(docker.config.Healthcheck?.Test, ['CMD', '/usr/bin/node', '/app/health.mjs'])
  t.equal(docker.config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')

  const container = buildah('from', '--pull-never', image)
  const root = buildah('mount', container)
  const bytes = Number(execFileSync('du', ['-sb', root], { encoding: 'utf8' }).split('\t')[0])
  t.comment(`the image has ${Math.round(bytes / 1e6)} MB`)
  t.ok(bytes <= IMAGE_MAX_BYTES, 'at most 200 MB')
  for (const path of ['bin/sh', 'usr/bin/sh', 'bin/bash', 'bin/busybox', 'usr/bin/apt-get', 'usr/bin/npm'])
    t.notOk(existsSync(join(root, path)), `no ${path}`)

  const journal = join(work, 'journal')
  mkdirSync(journal, { recursive: true })
  chownSync(journal, USER, USER)
  const port = await freePort()
  const env = {
    ...Object.fromEntries(docker.config.Env.map((line) => line.split('=', 2) as [string, string])),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
    PESEBRE_QUEUE_URL: 'http://127.0.0.1:1/000000000000/reports',
    PESEBRE_COAP_HOST: '127.0.0.1',
    PESEBRE_COAP_PORT: String(port),
    PESEBRE_ADMIN_PORT: '0',
  }
  const run = (...command: string[]): ChildProcess =>
    spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'sh', root, journal, ...command],
      {
        env: { ...env, PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )

  const began = performance.now()
  const gateway = run(...docker.config.Entrypoint)
  t.teardown(() => gateway.kill('SIGKILL'))
  gateway.stdout!.resume()
  let isHealthy = false
  while (!isHealthy && gateway.exitCode === null && performance.now() - began < 30_000)
    isHealthy = await answers(port)
  t.comment(`${Math.round(performance.now() - began)} ms from its start to its first answer`)
  t.ok(isHealthy, 'it answers on a read-only root, as another user than root')
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8')
  t.match(status, new RegExp(`Uid:\\s+${USER}\\s`))
  t.match(status, /CapEff:\s+0+\n/, 'without capabilities')
  t.comment(`${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1000)} MB resident`)

  const check = run('/usr/bin/node', '/app/health.mjs')
  check.stdout!.resume()
  t.strictSame(await once(check, 'exit'), [0, null], 'its HEALTHCHECK says that it is well')

  gateway.kill('SIGTERM')
  const timer = setTimeout(() => gateway.kill('SIGKILL'), STOP_MAX_MS)
  t.strictSame(await once(gateway, 'exit'), [0, null], 'SIGTERM stops it in ten seconds')
  clearTimeout(timer)
  const sick = run('/usr/bin/node', '/app/health.mjs')
  sick.stdout!.resume()
  t.strictSame(await once(sick, 'exit'), [1, null], 'and its HEALTHCHECK says so')
})

/** Enters a container as `docker run --read-only` does: $1 is its root, $2 the volume. The process is the one that was started. */
const ENTER = `
root=$1 volume=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --bind "$volume" "$root/var/lib/pesebre"
mount --bind /dev "$root/dev"
exec chroot --userspec=${USER}:${USER} "$root" "$@"
`

/** Whether CoAP's /health says 2.05 now. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    const answer = new Promise<boolean>((resolve) => {
      socket.on('message', (bytes) => resolve(bytes[1] === 0x45))
      setTimeout(() => resolve(false), 50)
    })
    socket.send(
      Buffer.concat([Buffer.from([0x40, 0x01, 1, 2]), Buffer.from('\xb6health', 'latin1')]),
      port,
      '127.0.0.1',
    )
    return await answer
  } finally {
    socket.close()
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
