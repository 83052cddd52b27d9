// Brings node_modules in step with package-lock.json, so that `npm start` and `npm test` work in a fresh clone.
// Plain JavaScript without imports from packages: it runs on whatever Node the machine has, before anything is there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const major = Number(process.versions.node.split('.')[0])
if (major < 20) {
  console.error(`Node ${process.versions.node} is too old to install Pesebre: Node 20 or newer is needed`)
  process.exit(1)
}

const lock = readFileSync('package-lock.json', 'utf8')
const mark = 'node_modules/.pesebre-lock'
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== lock) {
  console.log('Installing what is missing (npm ci) ...')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' })
  writeFileSync(mark, lock)
}
