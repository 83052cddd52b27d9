/**
 * Makes the bundles that hosts run under systemd, docker/dist/{gateway,web}-arm64.tar.gz, out of the very stages of the images:
 * `npm run build:host [-- amd64]`. Needs Docker with buildx, on any platform. The same sources on the same bases give the same
 * bytes; a base that is not pinned yet (bases.ts) is taken by its tag, and said.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Bases, buildArguments } from './bases.ts'

const ROOT = join(import.meta.dirname, '..')
const OUT = join(import.meta.dirname, 'dist')
const arch = process.argv[2] ?? 'arm64'

mkdirSync(OUT, { recursive: true })
const revision = execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }).trim()
const bases = pinnedBases()
for (const service of ['gateway', 'web']) {
  const tar = join(OUT, `${service}.tar`)
  const args = [
    'buildx',
    'build',
    '--platform',
    `linux/${arch}`,
    '--target',
    'host',
    '-f',
    `docker/${service}/Dockerfile`,
    ...bases.flatMap((base) => ['--build-arg', base]),
  ]
  execFileSync('docker', [...args, '--output', `type=tar,dest=${tar},rewrite-timestamp=true`, '.'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, SOURCE_DATE_EPOCH: revision },
  })
  writeFileSync(join(OUT, `${service}-${arch}.tar.gz`), gzipSync(readFileSync(tar), { level: 9 }))
  rmSync(tar)
}

function pinnedBases(): string[] {
  // Lambda's is for its image alone.
  const { BASE } = JSON.parse(readFileSync(join(import.meta.dirname, 'bases.json'), 'utf8')) as Bases
  if (BASE?.digest) return buildArguments({ BASE })
  console.warn(`Not pinned by a digest, as a release is: ${BASE?.image}:${BASE?.tag}`)
  return []
}
