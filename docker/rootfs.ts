/**
 * Makes a root file system that holds Node and what it is linked with, and nothing else: no shell, no package manager.
 *   node rootfs.ts <root of the base image> <root to make> [directory with native addons...]
 * The base may be of another machine than this one: nothing of it is run.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { readElf } from './elf.ts'

const USER = 65_532
/** Of e_machine: where Debian keeps the machine's libraries. */
const TRIPLETS: Readonly<Record<number, string>> = { 62: 'x86_64-linux-gnu', 183: 'aarch64-linux-gnu' }

/** Makes `root`; see above. Throws an Error that names a library that is not there, or an addon of another machine. */
export function makeRoot(options: { base: string; root: string; addons: readonly string[] }): void {
  const { base, root, addons } = options
  for (const folder of ['proc', 'dev', 'sys', 'tmp', 'app', 'run/secrets', 'etc/ssl/certs', 'usr/bin'])
    mkdirSync(join(root, folder), { recursive: true })
  const node = join(base, 'usr/local/bin/node')
  copyFileSync(node, join(root, 'usr/bin/node'))
  for (const path of libraries(base, [node, ...addons])) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    copyFileSync(inside(base, path) ?? '', join(root, path))
  }
  writeFileSync(join(root, 'etc/passwd'), `pesebre:x:${USER}:${USER}:pesebre:/app:/nologin\n`)
  writeFileSync(join(root, 'etc/group'), `pesebre:x:${USER}:\n`)
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
  // The authorities that Node itself trusts, for those that look for a file (the MQTT client).
  writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), `${rootCertificates.join('\n')}\n`)
  chmodSync(join(root, 'tmp'), 0o1777)
  mkdirSync(join(root, 'var/lib/pesebre'), { recursive: true })
  chownSync(join(root, 'var/lib/pesebre'), USER, USER)
}

/** What files are linked with, all the way down: paths in `base`, with its links as names. */
function libraries(base: string, files: readonly string[]): Set<string> {
  const machine = readElf(files[0] ?? '')?.machine ?? 0
  const triplet = TRIPLETS[machine]
  if (triplet === undefined) throw new Error(`Cannot make an image: not for this machine: ${files[0]}`)
  const folders = [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'lib', 'usr/lib']
  const found = new Set<string>()
  for (const file of files) visit(file)
  return found

  function visit(file: string): void {
    const elf = readElf(file)
    if (elf?.machine !== machine) throw new Error(`Cannot make an image: of another machine: ${file}`)
    if (elf.interpreter !== undefined) take([elf.interpreter.slice(1)], file)
    for (const name of elf.needed) {
      // A library that a package brings is in the package.
      const own = elf.runPath
        .map((path) => join(path.replace('$ORIGIN', dirname(file)), name))
        .find(existsSync)
      if (own !== undefined) visit(own)
      else
        take(
          folders.map((folder) => join(folder, name)),
          file,
        )
    }
  }

  function take(paths: readonly string[], needer: string): void {
    // The dynamic linker is needed by its name, too, and has only one place.
    const name = basename(paths[0] ?? '')
    if ([...found].some((path) => basename(path) === name)) return
    const path = paths.find((path) => inside(base, path) !== undefined)
    if (path === undefined) throw new Error(`Cannot make an image: no ${name}, which is needed by ${needer}`)
    found.add(path)
    visit(inside(base, path) ?? '')
  }
}

/** The file at `path` as a process sees it whose root is `base`: links that begin with / stay inside. Undefined: there is none. */
function inside(base: string, path: string): string | undefined {
  const file = join(base, path)
  if (!lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink())
    return existsSync(file) ? file : undefined
  const target = readlinkSync(file)
  return inside(base, isAbsolute(target) ? target : join(dirname(path), target))
}

if (import.meta.main) {
  const [base, root, ...folders] = process.argv.slice(2) as [string, string, ...string[]]
  const addons = folders.flatMap((folder) =>
    globSync('**/*.node', { cwd: folder }).map((file) => join(folder, file)),
  )
  makeRoot({ base, root, addons })
}
