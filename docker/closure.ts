/**
 * Copies what a program needs of installed packages, without what is not for running: sources, types, and the native parts of
 * other machines, which are told by the files themselves.
 *   node closure.ts <from node_modules> <to node_modules> <a program of the machine> [package.json of the program]
 * Without a package.json everything is copied; with one, its dependencies and theirs.
 */
import { cpSync, existsSync, lstatSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Elf, readElf } from './elf.ts'

const NOT_FOR_RUNNING = /\.(d\.ts|ts|mts|cts|tsx|map|md|markdown|html|cc?|cpp|hh?|hpp|inc|yml|yaml)$/
const FOLDERS_NOT_FOR_RUNNING = /\/aws-crt\/(crt|scripts|docs|samples|test)$/

/** Copies; see above. Throws an Error that names a dependency that is not installed. */
export function copyPackages(options: {
  from: string
  to: string
  program: string
  manifest?: string
}): void {
  const { from, to, program, manifest } = options
  const machine = machineOf(program)
  const filter = (path: string): boolean => isForRunning(path, machine)
  if (manifest === undefined) {
    cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter })
    return
  }
  const done = new Set<string>()
  copyDependencies(manifest, from)

  function copyDependencies(file: string, base: string): void {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as {
      dependencies?: Record<string, string>
      optionalDependencies?: Record<string, string>
    }
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const path = find(name, base)
      if (path === undefined && name in optionalDependencies) continue
      if (path === undefined) throw new Error(`Cannot copy a package: not installed: ${name}, of ${file}`)
      if (done.has(path)) continue
      done.add(path)
      // Packages inside it are copied if somebody needs them.
      const nested = join(path, 'node_modules')
      const own = (file: string): boolean => file !== nested && filter(file)
      cpSync(path, join(to, path.slice(from.length)), { recursive: true, filter: own })
      copyDependencies(join(path, 'package.json'), path)
    }
  }

  /** As Node looks for it: the nearest node_modules at or above `base`, up to `from`. */
  function find(name: string, base: string): string | undefined {
    for (let folder = base; folder.length >= from.length; folder = dirname(folder)) {
      const path = folder === from ? join(from, name) : join(folder, 'node_modules', name)
      if (existsSync(path)) return path
    }
    return undefined
  }
}

function isForRunning(path: string, machine: number): boolean {
  if (FOLDERS_NOT_FOR_RUNNING.test(path)) return false
  if (!path.endsWith('.node')) return lstatSync(path).isDirectory() || !NOT_FOR_RUNNING.test(path)
  const elf = readElf(path)
  return elf?.machine === machine && !isMusl(elf)
}

/** Of Alpine: our images are on glibc. */
function isMusl({ needed }: Elf): boolean {
  return needed.some((name) => name.startsWith('libc.musl'))
}

function machineOf(program: string): number {
  const elf = readElf(program)
  if (!elf) throw new Error(`Cannot tell the machine: not an ELF file: ${program}`)
  return elf.machine
}

if (import.meta.main) {
  const [from, to, program, manifest] = process.argv.slice(2) as [string, string, string, string?]
  copyPackages({ from, to, program, ...(manifest !== undefined && { manifest }) })
}
