import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { missing } from '../fakes/needs.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const STUB = join(ROOT, 'terraform/tests/stub')
/** What the stacks upload: any bytes will do. */
const BUNDLES = [
  'bridge-lambda/dist/bridge.zip',
  'ops-lambda/dist/ops.zip',
  'docker/dist/gateway-arm64.tar.gz',
  'docker/dist/web-arm64.tar.gz',
]

export type Said = { readonly ok: boolean; readonly text: string }

/** A copy of terraform/ that Terraform may work in, against the stand-in for the AWS provider. */
export type Workspace = {
  /** Runs terraform in a folder of the copy, after `terraform init`. */
  run(folder: string, ...args: string[]): Promise<Said>
  close(): void
}

/**
 * Why Terraform cannot be run, said loudly, or false. It is in no package of Debian: a machine without it skips, also in
 * `.ci/run`. What it is tested against comes from npm, so that with REQUIRE_ALL=1 its absence fails.
 */
export function skipWithoutTerraform(): string | false {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore', env: environment() })
  } catch {
    const reason = 'NOT RUN, this machine lacks: terraform'
    console.error(`\n*** ${reason} ***\n`)
    return reason
  }
  return missing('packages of terraform/tests/stub (npm ci --prefix terraform/tests/stub)', () => {
    if (!existsSync(join(STUB, 'node_modules/@cdktf/provider-aws'))) throw new Error('not there')
  })
}

/** Every module and stack, as paths within terraform/. */
export function terraformFolders(): string[] {
  return ['modules', 'stacks'].flatMap((top) =>
    readdirSync(join(ROOT, 'terraform', top)).map((name) => `${top}/${name}`),
  )
}

/**
 * What is protected from destruction is not, in the copy: `terraform test` has to clear up after itself. terraform-source.test.ts
 * looks at the originals.
 */
export function openWorkspace(): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-terraform-'))
  const copy = join(dir, 'terraform')
  cpSync(join(ROOT, 'terraform'), copy, { recursive: true, filter: (path) => !path.includes('node_modules') })
  for (const file of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tf')) continue
    const text = readFileSync(join(copy, file), 'utf8')
    writeFileSync(join(copy, file), text.replace('prevent_destroy = true', 'prevent_destroy = false'))
  }
  for (const bundle of BUNDLES) {
    mkdirSync(dirname(join(dir, bundle)), { recursive: true })
    writeFileSync(join(dir, bundle), bundle)
  }
  const mirror = join(dir, 'mirror')
  execFileSync(process.execPath, [join(STUB, 'mirror.mjs'), mirror, copy])
  const ready = new Set<string>()

  async function run(folder: string, ...args: string[]): Promise<Said> {
    const cwd = join(copy, folder)
    if (!ready.has(folder)) {
      const init = await terraform(cwd, ['init', '-backend=false', '-no-color', `-plugin-dir=${mirror}`])
      if (!init.ok) return init
      ready.add(folder)
    }
    return terraform(cwd, args)
  }

  return { run, close: () => rmSync(dir, { recursive: true, force: true }) }
}

async function terraform(cwd: string, args: string[]): Promise<Said> {
  const options = { cwd, env: environment(), timeout: 240_000, maxBuffer: 64 * 1024 * 1024 }
  try {
    const { stdout, stderr } = await promisify(execFile)('terraform', args, options)
    return { ok: true, text: stdout + stderr }
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    return { ok: false, text: `${stdout}${stderr}` || message }
  }
}

/** No look-ups of versions, and no settings of this machine's user. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null', TF_IN_AUTOMATION: '1' }
}
