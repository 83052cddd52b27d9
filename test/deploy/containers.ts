/**
 * Images built with buildah and run with podman, without a registry and without a daemon: a container runtime with a read-only root,
 * limits of memory, capabilities and seccomp, and compose files by podman-compose.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { missing, onPath } from '../fakes/needs.ts'

export const ROOT = new URL('../..', import.meta.url).pathname
/** Of every image of ours that is made for production. */
export const USER = 65_532

export type Containers = {
  readonly work: string
  /** A directory for this test alone, removed at its end. */
  readonly own: string
  /** Runs buildah or podman on the images, and returns what it printed. Rejects with what it complained about. */
  run(program: 'buildah' | 'podman', ...args: string[]): Promise<string>
  /** podman-compose with a compose file of `folder`. */
  compose(
    options: { folder: string; file: string; env?: Record<string, string> },
    ...args: string[]
  ): Promise<string>
  /** Removes the images, unless PESEBRE_IMAGE_WORK keeps them. What runs is stopped before. */
  close(): void
}

/** What the tests of the images need, or the reason to skip. */
export const skipContainers = missing('buildah, podman, podman-compose, crun and mmdebstrap, as root', () => {
  for (const program of ['buildah', 'podman', 'podman-compose', 'crun', 'mmdebstrap']) onPath(program)
  if (process.getuid?.() !== 0) throw new Error('not root')
  execFileSync('unshare', ['--mount', 'true'])
})

/** Builds `images` (see images.sh), unless they are there. */
export async function openContainers(...images: string[]): Promise<Containers> {
  const kept = process.env['PESEBRE_IMAGE_WORK']
  const work = kept ?? mkdtempSync(join(tmpdir(), 'pesebre-images-'))
  const own = mkdtempSync(join(tmpdir(), 'pesebre-containers-'))
  await promisify(execFile)(join(ROOT, 'test/deploy/images.sh'), [work, ...images], { timeout: 400_000 })
  const env = { ...process.env, ...prepare(work, own) }
  const holder = await holdNamespace()
  const enter = ['--target', String(holder.pid), '--mount', `--wd=${own}`]

  async function run(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', [...enter, join(own, program), ...args], {
      env,
      timeout: 60_000,
      maxBuffer: 16e6,
    })
    return stdout.trim()
  }

  return {
    work,
    own,
    run,
    async compose(options, ...args) {
      const { folder, file } = options
      const command = ['podman-compose', '-f', file, ...args]
      const { stdout, stderr } = await promisify(execFile)(
        'nsenter',
        ['--target', String(holder.pid), '--mount', `--wd=${folder}`, ...command],
        { env: { ...env, ...options.env }, timeout: 60_000 },
      )
      // It ends with 0 whatever happens.
      const codes = [...stdout.concat(stderr).matchAll(/^exit code: (\d+)$/gm)].map(([, code]) =>
        Number(code),
      )
      if (codes.some((code) => code !== 0))
        throw new Error(`Cannot run podman-compose: ${args.join(' ')}: ${stderr}`)
      return stdout
    },
    close() {
      holder.kill('SIGKILL')
      rmSync(own, { recursive: true, force: true })
      if (kept !== undefined) return
      unmountBelow(work)
      rmSync(work, { recursive: true, force: true })
    },
  }
}

/** buildah leaves its store mounted, and what is mounted cannot be removed (EBUSY). */
function unmountBelow(folder: string): void {
  const places = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => place.startsWith(`${folder}/`))
  // What is mounted last lies on top.
  for (const place of places.toReversed()) execFileSync('umount', ['--lazy', place])
}

/** Programs that know where the images are, before those of the PATH. */
function prepare(work: string, own: string): NodeJS.ProcessEnv {
  const store = `--root '${work}/store' --runroot '${work}/run'`
  const write = (name: string, text: string): void => {
    writeFileSync(join(own, name), text)
    chmodSync(join(own, name), 0o755)
  }
  write('buildah', `#!/bin/sh\nexec /usr/bin/buildah ${store} "$@"\n`)
  // podman-compose 1.0.3 asks for a network of its own beside the host's, which podman refuses.
  write(
    'podman',
    `#!/bin/bash
[[ $1 == network ]] && exit
args=() skip=
for arg; do
  if [[ -n $skip ]]; then skip=; elif [[ $arg == --net || $arg == --network-alias ]]; then skip=1; else args+=("$arg"); fi
done
exec /usr/bin/podman ${store} "\${args[@]}"
`,
  )
  writeFileSync(
    join(own, 'containers.conf'),
    '[containers]\ndefault_ulimits = []\ncgroupns = "host"\nlog_driver = "k8s-file"\n' +
      '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n',
  )
  return { PATH: `${own}:${process.env['PATH']}`, CONTAINERS_CONF: join(own, 'containers.conf') }
}

/**
 * A process that keeps mounts of their own for all that is run: crun cannot work where both generations of control groups are
 * mounted, as systemd's hybrid mode has it, so the newer one is taken away there.
 */
async function holdNamespace(): Promise<ChildProcess> {
  const script =
    'mountpoint -q /sys/fs/cgroup/unified && umount /sys/fs/cgroup/unified; echo; exec sleep infinity'
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script]
  const holder = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  return holder
}
