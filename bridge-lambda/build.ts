/**
 * Bundles the bridge and packs it for AWS Lambda (runtime nodejs24.x, handler `handler.handler`).
 *   node build.ts [--with-sdk]
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { zip } from './zip.ts'

/**
 * Writes `handler.cjs` and `bridge.zip` and returns their sizes in bytes.
 *
 * @param directory made if missing
 * @param options.withSdk the AWS SDK is in it, for where no runtime brings it (docker/lambda)
 */
export async function buildLambda(
  directory: string,
  options: { withSdk?: boolean } = {},
): Promise<{ zipBytes: number; bundleBytes: number }> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'src/handler.ts')],
    // CommonJS: pino asks for Node's modules by require. The ending keeps it so whatever package.json lies above it.
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // AWS's own runtime brings the SDK.
    external: options.withSdk ? [] : ['@aws-sdk/*'],
    outfile: 'handler.cjs',
    write: false,
    // Paths in comments and names would make the bytes depend on the place of the checkout.
    absWorkingDir: resolve(import.meta.dirname, '..'),
  })
  const bundle = outputFiles[0]!.contents
  const archive = zip([{ name: 'handler.cjs', content: bundle }])
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'handler.cjs'), bundle)
  await writeFile(join(directory, 'bridge.zip'), archive)
  return { zipBytes: archive.length, bundleBytes: bundle.length }
}

if (import.meta.main) {
  const withSdk = process.argv.includes('--with-sdk')
  const { zipBytes, bundleBytes } = await buildLambda(join(import.meta.dirname, 'dist'), { withSdk })
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
  process.stdout.write(
    `bridge-lambda/dist/bridge.zip ${kB(zipBytes)} (handler.cjs ${kB(bundleBytes)}, ${withSdk ? 'with' : 'without'} the AWS SDK)\n`,
  )
}
