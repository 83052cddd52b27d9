/**
 * Copies one package and everything that it needs, as package-lock.json has installed them:
 * `node closure.mjs <package> <from node_modules> <to node_modules>`. Of native parts only those of this machine's kind.
 */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [name, from, to] = process.argv.slice(2)
const done = new Set()

copy(name, from)

function copy(name, base) {
  // A package of its own version lies nearer.
  const nested = join(base, 'node_modules', name)
  const path = existsSync(nested) ? nested : join(from, name)
  if (!existsSync(path) || done.has(path)) return
  done.add(path)
  const target = join(to, path.slice(from.length + 1))
  cpSync(path, target, { recursive: true, filter: isNeeded })
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(path, 'package.json'), 'utf8'),
  )
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) copy(needed, path)
}

/** Sources, types and the binaries of other machines are not for running. */
function isNeeded(path) {
  if (
    /\.(d\.ts|d\.mts|map|md)$/.test(path) ||
    (/\/(docs|samples|test|crt|scripts)$/.test(path) && path.includes('aws-crt'))
  )
    return false
  const platform = /\/aws-crt\/dist\/bin\/([a-z0-9]+-[a-z0-9]+-[a-z0-9]+)/.exec(path)?.[1]
  return platform === undefined || platform === `linux-${process.arch}-glibc`
}

if (readdirSync(to).length === 0) throw new Error(`Nothing was copied: ${name}`)
