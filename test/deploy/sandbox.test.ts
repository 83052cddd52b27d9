import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { freePorts } from '../../local/src/supervisor/ports.ts'
import { missing, onPath } from '../fakes/needs.ts'
import { asksHealth } from './coap-health.ts'
import { openContainers, ROOT, skipContainers } from './containers.ts'

t.setTimeout(400_000)

const skip = skipContainers || missing('systemd-analyze (systemd)', () => onPath('systemd-analyze'))
/**
 * Prints the error number of each call, or 0. clock_adjtime(2) that only reads needs no capability, so nothing but a filter refuses
 * it. The others find no socket, where they are let through.
 */
const PROBE = `const koffi = require('/app/node_modules/koffi')
const libc = koffi.load(null)
const errno = (result) => (result === -1 ? koffi.errno() : 0)
console.log(JSON.stringify({
  clock_adjtime: errno(libc.func('int clock_adjtime(int, void *)')(0, Buffer.alloc(512))),
  recvmmsg: errno(libc.func('int recvmmsg(int, void *, unsigned int, int, void *)')(-1, null, 0, 0, null)),
  sendmmsg: errno(libc.func('int sendmmsg(int, void *, unsigned int, int)')(-1, null, 0, 0)),
}))`
const { EPERM, EBADF } = constants.errno

t.test(
  'the gateway works with the system calls that its systemd unit leaves it, in batches by koffi',
  { skip, timeout: 390_000 },
  async (t) => {
    const containers = await openContainers('gateway')
    t.teardown(() => containers.close())
    const unit = readFileSync(join(ROOT, 'gateway/systemd/pesebre-gateway.service'), 'utf8')
    const profile = join(containers.own, 'seccomp.json')
    writeFileSync(profile, JSON.stringify(seccompOf(unit)))
    const { coap } = await freePorts()
    const safe = ['--network', 'host', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL']
    const filter = ['--security-opt', `seccomp=${profile}`, '--security-opt', 'no-new-privileges']
    const settings = {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
      PESEBRE_QUEUE_URL: 'http://127.0.0.1:1/000000000000/reports',
      PESEBRE_COAP_HOST: '127.0.0.1',
      PESEBRE_COAP_PORT: `${coap}`,
      PESEBRE_ADMIN_PORT: '0',
    }
    const env = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`])
    const name = `sandbox-${process.pid}`
    await containers.run(
      'podman',
      'run',
      '--detach',
      '--name',
      name,
      ...safe,
      ...filter,
      ...env,
      'pesebre-gateway',
    )
    t.teardown(() => containers.run('podman', 'rm', '--force', '--time', '1', '--volumes', name))
    t.ok(await asksHealth(coap), 'it answers')
    t.notMatch(await containers.run('podman', 'logs', name), 'no recvmmsg', 'recvmmsg and sendmmsg are there')
    const pid = await containers.run('podman', 'inspect', '--format', '{{.State.Pid}}', name)
    t.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /Seccomp:\s+2\n/, 'under a filter')
    const probe = async (...options: string[]): Promise<unknown> => {
      const command = ['--entrypoint', '/usr/bin/node', 'pesebre-gateway', '-e', PROBE]
      return JSON.parse(await containers.run('podman', 'run', '--rm', ...safe, ...options, ...command))
    }
    t.strictSame(
      await probe(...filter),
      { clock_adjtime: EPERM, recvmmsg: EBADF, sendmmsg: EBADF },
      'which refuses the clock, and leaves it batches',
    )
    t.match(
      await probe('--security-opt', 'seccomp=unconfined', '--security-opt', 'no-new-privileges'),
      { clock_adjtime: 0 },
      'which nothing but the filter refuses',
    )
    await containers.run('podman', 'stop', name)
  },
)

/** What systemd makes of `SystemCallFilter` and `SystemCallErrorNumber` (systemd.exec(5)), as a container runtime reads it. */
function seccompOf(unit: string): object {
  const values = (key: string): string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  const sets = systemCallSets()
  const expand = (name: string): string[] =>
    name.startsWith('@') ? (sets.get(name) ?? []).flatMap(expand) : [name]
  const filters = values('SystemCallFilter')
  // The first says that all others are refused. Neither one that resets nor one with an error of its own is read here.
  if (!filters[0]?.startsWith('@') || !filters.every((line) => /^[^:]+$/.test(line)))
    throw new Error('Cannot read the filter of the unit')
  // Always allowed, so that a program can be started and ended at all.
  const allowed = new Set(expand('@default'))
  for (const line of filters)
    for (const name of line.replace('~', '').split(' ').flatMap(expand))
      if (line.startsWith('~')) allowed.delete(name)
      else allowed.add(name)
  if (allowed.size < 100) throw new Error('Cannot read the sets of system calls')
  if (values('SystemCallErrorNumber').at(-1) !== 'EPERM') throw new Error('Cannot read the error of the unit')
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
    syscalls: [{ names: [...allowed], action: 'SCMP_ACT_ALLOW' }],
  }
}

/** Members of each set, sets among them, as this machine's systemd knows them. */
function systemCallSets(): Map<string, string[]> {
  const text = execFileSync('systemd-analyze', ['--no-pager', 'syscall-filter'], { encoding: 'utf8' })
  return new Map(
    text.split(/\n(?=@)/).map((part) => {
      const [name = '', ...lines] = part.split('\n').map((line) => line.trim())
      return [name, lines.filter((line) => line !== '' && !line.startsWith('#'))]
    }),
  )
}
