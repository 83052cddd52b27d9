// Brings node_modules in step with package-lock.json, so that `npm start` and `npm test` work in a fresh clone.
// Plain JavaScript without imports from packages: it runs on whatever Node the machine has, before anything is there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = 20
/** What the sources need: they are TypeScript that Node runs directly, and they use node:sqlite. */
const RUNTIME_NODE = 24
const PINNED_NODE = 'node_modules/.bin/node'

process.chdir(dirname(fileURLToPath(import.meta.url)))
const major = Number(process.versions.node.split('.')[0])

if (major < OLDEST_NODE) {
  fail(`Node ${process.versions.node} is too old to install Pesebre: install Node ${OLDEST_NODE} or newer`)
}
if (!inStep()) {
  console.log('Installing what is missing (npm ci) ...')
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' })
  } catch {
    fail('Cannot install the packages: npm ci failed, its own message is above')
  }
}
// npm leaves out an optional package without a word, for instance where no binary of it exists for this machine.
if (!existsSync(PINNED_NODE) && major < RUNTIME_NODE) {
  fail(
    `No Node ${RUNTIME_NODE} for ${process.platform}-${process.arch} among the packages: install Node ${RUNTIME_NODE} or newer`,
  )
}

/** Compares package-lock.json with the copy that npm leaves in node_modules about what it has put there. */
function inStep() {
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const found = present[path]
    if (found === undefined) return entry.optional === true || entry.devOptional === true
    return found.version === entry.version && found.link === entry.link
  })
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {}
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
