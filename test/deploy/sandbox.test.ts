import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePorts } from '../../local/src/supervisor/ports.ts'
import { missing, onPath } from '../fakes/needs.ts'
import { asksHealth } from './coap-health.ts'
import { openContainers, ROOT, skipContainers } from './containers.ts'

t.setTimeout(400_000)

const skip = skipContainers || missing('systemd-analyze (systemd)', () => onPath('systemd-analyze'))
/** unshare(2) of a user namespace: in no set of system calls that a service gets. */
const FORBIDDEN = `const unshare = require('/app/node_modules/koffi').load(null).func('int unshare(int)')
process.exit(unshare(0x10000000) === -1 ? 0 : 1)`

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
    const forbidden = ['--entrypoint', '/usr/bin/node', 'pesebre-gateway', '-e', FORBIDDEN]
    t.equal(
      await containers.run('podman', 'run', '--rm', ...safe, ...filter, ...forbidden),
      '',
      'which refuses',
    )
    await containers.run('podman', 'stop', name)
  },
)

/** What systemd makes of `SystemCallFilter` and `SystemCallErrorNumber`, as a container runtime reads it. */
function seccompOf(unit: string): object {
  const setting = (key: string): string => new RegExp(`^${key}=(.+)$`, 'm').exec(unit)?.[1] ?? ''
  const text = execFileSync('systemd-analyze', ['--no-pager', 'syscall-filter'], { encoding: 'utf8' })
  const sets = new Map(
    text.split(/\n(?=@)/).map((part) => {
      const [name = '', ...lines] = part.split('\n').map((line) => line.trim())
      return [name, lines.filter((line) => line !== '' && !line.startsWith('#'))]
    }),
  )
  const expand = (name: string): string[] =>
    name.startsWith('@') ? (sets.get(name) ?? []).flatMap(expand) : [name]
  const names = [...new Set(setting('SystemCallFilter').split(' ').flatMap(expand))]
  // systemd always leaves these, so that a program can be started and ended at all (systemd.exec(5)).
  names.push('execve', 'exit', 'exit_group', 'getrlimit', 'rt_sigreturn', 'sigreturn')
  if (names.length < 100 || setting('SystemCallErrorNumber') !== 'EPERM')
    throw new Error('Cannot read the unit')
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
    syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
  }
}
