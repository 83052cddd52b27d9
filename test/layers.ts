/**
 * Checks that imports go in the allowed directions only. The table is the one in ARCHITECTURE.md.
 * `npm run check` runs it; it prints each violation and exits with 1.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Every source file belongs to the first layer whose path it begins with. A layer may import itself and what it lists. */
const LAYERS: Record<string, readonly string[]> = {
  'contract/': ['typebox'],
  'coap/src/codec/': [],
  'coap/src/endpoint/': ['coap/src/codec/'],
  'coap/src/oscore/': ['coap/src/codec/', 'type coap/src/endpoint/'],
  'coap/src/node-crypto.ts': ['node:crypto', 'type coap/src/oscore/'],
  'gateway/src/app/': ['contract/', 'coap/src/codec/', 'coap/src/endpoint/', 'cbor-x'],
  'gateway/src/journal/': [
    'node:fs*',
    'node:path',
    'node:zlib',
    'node:crypto',
    'node:net',
    'node:util',
    'contract/',
  ],
  'gateway/src/adapters/': [
    'node:*',
    'contract/',
    'pino',
    '@aws-sdk/*',
    'aws-iot-device-sdk-v2',
    'type gateway/src/',
    'gateway/src/bind-error.ts',
  ],
  'gateway/pack.ts': ['node:*', 'esbuild'],
  'gateway/src/config.ts': [],
  'gateway/src/': ['hyparquet-writer', 'gateway/src/', 'contract/', 'coap/', 'node:*', 'prom-client'],
  'bridge-lambda/src/adapters/': [
    'contract/',
    '@aws-sdk/*',
    'type bridge-lambda/src/',
    'bridge-lambda/src/errors.ts',
    'bridge-lambda/src/json.ts',
  ],
  'bridge-lambda/src/config.ts': ['contract/'],
  'bridge-lambda/': [
    'bridge-lambda/',
    'contract/',
    'node:*',
    'pino',
    'esbuild',
    'typebox*',
    '@aws-sdk/*',
    'aws-lambda',
  ],
  'ops-lambda/src/config.ts': [],
  // The zip that Terraform uploads is made in one way.
  'ops-lambda/build.ts': ['bridge-lambda/zip.ts', 'node:*', 'esbuild'],
  'ops-lambda/': [
    'ops-lambda/',
    'contract/',
    'coap/',
    'node:*',
    '@aws-sdk/*',
    'aws-lambda',
    'cbor-x',
    'esbuild',
  ],
  'local/src/iot/': ['node:*', 'contract/', 'aedes', '@peculiar/x509', 'reflect-metadata', 'pino'],
  'local/': [
    'local/',
    'contract/',
    'coap/',
    'node:*',
    'fauxqs',
    '@aws-sdk/*',
    'coap',
    'cbor-x',
    'pino',
    'aws-lambda',
    'aws-iot-device-sdk-v2',
    'ws',
    'sharp',
    'typebox*',
  ],
  'web/server/src/relay/': [],
  'web/server/src/config.ts': [],
  'web/server/': [
    'web/server/',
    'contract/',
    'node:*',
    '@aws-sdk/*',
    '@fastify/*',
    'aws-iot-device-sdk-v2',
    'fastify',
    'fflate',
    'hyparquet*',
    'jose',
    'kysely*',
    'mysql2*',
    'nodemailer',
    'openid-client',
    'pino',
    'prom-client',
    'sharp',
    'typebox*',
    'uqr',
    'ws',
  ],
  'web/app/compressed.ts': ['node:*', 'vite'],
  // Browsers load no schema library: of the contract only types, and the files that bring none.
  'web/app/': [
    'web/app/',
    'type contract/',
    'contract/src/frame',
    'contract/src/relay',
    'preact*',
    '@preact/signals',
    'uplot*',
    'esptool-js',
    'vite',
  ],
  'cli/': ['contract/', 'coap/', 'node:*', 'cbor-x', '@aws-sdk/*', 'uqr'],
}
/** The files that start a process: they may import everything of their own package, and nobody imports them. */
const ROOTS = /(^|\/)(main|[a-z]+-main|worker|handler|build)\.ts$/
const PACKAGES: Record<string, string> = {
  '@pesebre/contract/': 'contract/src/',
  '@pesebre/coap/': 'coap/src/',
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^'"]*?\bfrom\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm

export function violations(root: string): string[] {
  const found: string[] = []
  for (const file of sources(root)) {
    const layer = layerOf(file)
    if (layer === undefined) {
      found.push(`${file}: in no layer`)
      continue
    }
    for (const match of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
      const isType = match[1] !== undefined
      const target = resolve(file, match[2] ?? match[3]!)
      if (ROOTS.test(target) && !isType && target.includes('/src/'))
        found.push(`${file}: nobody imports the root ${target}`)
      else if (!allowed(file, layer, target, isType)) found.push(`${file}: ${layer} may not import ${target}`)
    }
  }
  return found
}

function sources(root: string): string[] {
  const tops = [
    'contract',
    'coap',
    'gateway',
    'bridge-lambda',
    'ops-lambda',
    'local',
    'cli',
    'web/server',
    'web/app',
  ]
  return tops
    .flatMap((top) =>
      readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((name) => `${top}/${name}`),
    )
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules') && !name.includes('/dist/'))
}

function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS).find((layer) => file.startsWith(layer))
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative('.', join(dirname(file), specifier))
  for (const [name, path] of Object.entries(PACKAGES)) {
    if (specifier.startsWith(name)) return path + specifier.slice(name.length)
  }
  return specifier
}

function allowed(file: string, layer: string, target: string, isType: boolean): boolean {
  if (layerOf(target) === layer) return true
  // A root composes its package: only its package's outside borders hold for it.
  const own = ROOTS.test(file) ? [`${file.split('/')[0]}/`] : []
  return [...LAYERS[layer]!, ...own].some((rule) => {
    if (rule.startsWith('type ')) return isType && target.startsWith(rule.slice(5))
    return rule.endsWith('*')
      ? target.startsWith(rule.slice(0, -1))
      : rule.endsWith('/')
        ? target.startsWith(rule)
        : target === rule
  })
}

if (import.meta.main) {
  const found = violations(join(import.meta.dirname, '..'))
  for (const violation of found) console.error(violation)
  if (found.length > 0) process.exit(1)
  console.log('Layers: no violations')
}
