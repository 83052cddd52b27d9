import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readElf } from '../../docker/elf.ts'
import { freePorts } from '../../local/src/supervisor/ports.ts'
import { missing, onPath } from '../fakes/needs.ts'
import { asksHealth } from './coap-health.ts'
import { openContainers, skipContainers, USER } from './containers.ts'

t.setTimeout(400_000)

const AARCH64 = 183
const skip =
  skipContainers || missing('qemu-aarch64-static (qemu-user-static)', () => onPath('qemu-aarch64-static'))

t.test('the image of the gateway for arm64, built on this machine', { skip, timeout: 390_000 }, async (t) => {
  const containers = await openContainers('gateway-arm64')
  t.teardown(() => containers.close())
  const image = JSON.parse(await containers.run('podman', 'image', 'inspect', 'pesebre-gateway-arm64')) as {
    Architecture: string
    Config: { Entrypoint: string[]; Env: string[] }
  }[]
  const { Architecture, Config } = image[0]!
  t.equal(Architecture, 'arm64')

  const own = mkdtempSync(join(tmpdir(), 'pesebre-arm64-'))
  t.teardown(() => rmSync(own, { recursive: true, force: true }))
  const [root, journal] = [join(own, 'root'), join(own, 'journal')]
  for (const folder of [root, journal]) mkdirSync(folder)
  chownSync(journal, USER, USER)
  await containers.run(
    'podman',
    'save',
    '--format',
    'docker-dir',
    '--output',
    join(own, 'image'),
    'pesebre-gateway-arm64',
  )
  const layers = execFileSync('sh', ['-c', 'ls -S'], { cwd: join(own, 'image'), encoding: 'utf8' }).split(
    '\n',
  )
  execFileSync('tar', ['-xf', join(own, 'image', layers[0]!), '-C', root])

  const binaries = execFileSync('find', [root, '-name', '*.node', '-o', '-name', '*.so.*'], {
    encoding: 'utf8',
  })
  const files = [...binaries.trim().split('\n'), join(root, 'usr/bin/node')]
  t.ok(files.length > 8, 'addons, libraries and Node')
  for (const file of files) t.equal(readElf(file)?.machine, AARCH64, file.slice(root.length))

  // The user mode of QEMU has been seen to stand still at the start, one time in a few.
  let isWell = false
  for (let attempt = 1; attempt <= 3 && !isWell; attempt++) {
    const { coap } = await freePorts()
    const gateway = spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'sh', root, journal, ...Config.Entrypoint],
      {
        env: {
          ...Object.fromEntries(Config.Env.map((line) => line.split('=', 2) as [string, string])),
          PATH: process.env['PATH'],
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
          AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
          PESEBRE_QUEUE_URL: 'http://127.0.0.1:1/000000000000/reports',
          PESEBRE_COAP_HOST: '127.0.0.1',
          PESEBRE_COAP_PORT: `${coap}`,
          PESEBRE_ADMIN_PORT: '0',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    t.teardown(() => gateway.kill('SIGKILL'))
    let log = ''
    gateway.stdout.on('data', (text: Buffer) => {
      log += String(text)
    })
    isWell = await asksHealth(coap, 30_000)
    if (isWell) t.notMatch(log, 'no recvmmsg', 'the binary of koffi loads')
    gateway.kill('SIGKILL')
    await once(gateway, 'exit')
  }
  t.ok(isWell, 'it answers on an emulated processor')
})

/** Runs a program of another machine in its own root ($1), with the journal $2. */
const ENTER = `
root=$1 journal=$2
shift 2
cp "$(command -v qemu-aarch64-static)" "$root/tmp/emulator"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind "$journal" "$root/var/lib/pesebre"
exec chroot --userspec=${USER}:${USER} "$root" /tmp/emulator "$@"
`
