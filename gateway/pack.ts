/**
 * Makes the gateway as a package that runs anywhere: `node gateway/pack.ts [directory]`. The TypeScript of three workspaces becomes
 * two files of JavaScript, the main thread's and the workers', for Node refuses to strip types in node_modules; beside them
 * are the systemd units. `npm pack` in the directory makes the tarball.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

/** They bring a native part, which cannot be bundled; everything else is inside. */
const EXTERNAL = ['aws-iot-device-sdk-v2', 'koffi']
const HERE = import.meta.dirname

/** Node >= 24: what the sources are written for. */
const ENGINES = { node: '>=24' }

/** Writes the package into `directory`, which is emptied before. */
export async function packGateway(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  await build({
    entryPoints: await entryPoints(),
    outdir: join(directory, 'dist'),
    format: 'esm',
    platform: 'node',
    target: 'node24',
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    external: EXTERNAL,
    absWorkingDir: resolve(HERE, '..'),
    // Some of the packages are CommonJS and ask for modules of Node by require.
    banner: {
      js: "import{createRequire as pesebreRequire}from'node:module';const require=pesebreRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'threads',
        setup: (on) => {
          // A thread is started by the URL of its file, which is another one here.
          on.onLoad({ filter: /gateway\/src\/.*\.ts$/ }, ({ path }) => ({
            contents: readFileSync(path, 'utf8').replaceAll(
              /new URL\('\.\/((?:[a-z-]+\/)*[a-z-]*worker)\.ts', import\.meta\.url\)/g,
              (_, name: string) => `new URL('./${threadName(path, name)}.js', import.meta.url)`,
            ),
            loader: 'ts',
          }))
        },
      },
    ],
  })
  cpSync(join(HERE, 'health.mjs'), join(directory, 'health.mjs'))
  cpSync(join(HERE, 'systemd'), join(directory, 'systemd'), { recursive: true })
  for (const file of ['LICENSE', 'README.md']) cpSync(join(HERE, '..', file), join(directory, file))
  writeFileSync(join(directory, 'bin.js'), "#!/usr/bin/env node\nimport './dist/main.js'\n", { mode: 0o755 })
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
}

/** main.ts, and every file that is started as a thread, each under its path with - for /. */
async function entryPoints(): Promise<{ in: string; out: string }[]> {
  const { globSync } = await import('node:fs')
  const threads = globSync('src/**/worker.ts', { cwd: HERE })
  return [
    { in: join(HERE, 'src/main.ts'), out: 'main' },
    ...threads.map((file) => ({ in: join(HERE, file), out: outName(file) })),
  ]
}

function outName(file: string): string {
  return file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')
}

/** The bundled name of the thread that `path` starts as `./name.ts`. */
function threadName(path: string, name: string): string {
  const folder = path.slice(join(HERE, 'src/').length).split('/').slice(0, -1)
  return [...folder, ...name.split('/')].join('-')
}

function manifest(): object {
  const own = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as {
    version: string
    license: string
    dependencies: Record<string, string>
  }
  return {
    name: 'pesebre-gateway',
    version: own.version,
    description: 'A CoAP gateway for AWS IoT that a sleeping, battery-powered device can trust',
    license: own.license,
    type: 'module',
    engines: ENGINES,
    bin: { 'pesebre-gateway': 'bin.js' },
    files: ['bin.js', 'dist', 'health.mjs', 'systemd'],
    dependencies: Object.fromEntries(EXTERNAL.map((name) => [name, own.dependencies[name]])),
  }
}

if (import.meta.main) await packGateway(resolve(process.argv[2] ?? join(HERE, 'dist')))
