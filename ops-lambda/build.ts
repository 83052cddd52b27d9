/** Bundles the functions that operate the product, and packs them for AWS Lambda (runtime nodejs24.x). */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { zip } from '../bridge-lambda/zip.ts'

/** Each is `src/<name>/handler.ts`, and has the handler `<name>.handler`. */
const FUNCTIONS = ['setup', 'probe', 'forwarder'] as const

/**
 * Writes `ops.zip`, with one file for each function, and returns its size in bytes.
 *
 * @param directory made if missing
 */
export async function buildOps(directory: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: FUNCTIONS.map((name) => ({
      in: join(import.meta.dirname, 'src', name, 'handler.ts'),
      out: name,
    })),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node24',
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // The runtime brings the SDK.
    external: ['@aws-sdk/*'],
    outdir: 'dist',
    write: false,
    // Paths in comments and names would make the bytes depend on the place of the checkout.
    absWorkingDir: resolve(import.meta.dirname, '..'),
  })
  const archive = zip(
    outputFiles.map(({ path, contents }) => ({ name: path.split('/').at(-1)!, content: contents })),
  )
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'ops.zip'), archive)
  return archive.length
}

if (import.meta.main) {
  const bytes = await buildOps(join(import.meta.dirname, 'dist'))
  process.stdout.write(
    `ops-lambda/dist/ops.zip ${(bytes / 1000).toFixed(1)} kB (${FUNCTIONS.join(', ')}; without the AWS SDK)\n`,
  )
}
