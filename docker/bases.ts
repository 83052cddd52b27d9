/**
 * The images that ours are built on, by digest: `node docker/bases.ts` prints the build arguments, and fails while a digest is
 * missing; `--pin` asks the registries (docker buildx) and writes the digests. The release workflow builds with these only.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('./bases.json', import.meta.url)
const DIGEST = /^sha256:[0-9a-f]{64}$/

export type Bases = Record<string, { image: string; tag: string; digest: string | null }>

/** `BASE=docker.io/library/node:24@sha256:...` for each. Throws an Error that names every base without a digest. */
export function buildArguments(bases: Bases): string[] {
  const open = Object.entries(bases).filter(([, { digest }]) => !DIGEST.test(digest ?? ''))
  if (open.length > 0)
    throw new Error(
      `Cannot build a release: no digest in docker/bases.json, node docker/bases.ts --pin writes it: ${open.map(([name]) => name).join(', ')}`,
    )
  return Object.entries(bases).map(([name, { image, tag, digest }]) => `${name}=${image}:${tag}@${digest}`)
}

if (import.meta.main) {
  const bases = JSON.parse(readFileSync(FILE, 'utf8')) as Bases
  if (process.argv[2] === '--pin') {
    for (const base of Object.values(bases)) {
      const format = '{{.Manifest.Digest}}'
      const args = ['buildx', 'imagetools', 'inspect', '--format', format, `${base.image}:${base.tag}`]
      base.digest = execFileSync('docker', args, { encoding: 'utf8' }).trim()
    }
    writeFileSync(FILE, `${JSON.stringify(bases, null, 2)}\n`)
  }
  try {
    for (const argument of buildArguments(bases)) console.log(argument)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
