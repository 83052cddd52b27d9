import { readFileSync } from 'node:fs'
import t from 'tap'

const ROOT = new URL('../..', import.meta.url).pathname
const page = readFileSync(`${ROOT}docs/operations.md`, 'utf8')

t.test('docs/operations.md says what to do about every alarm', async (t) => {
  const alarms = readFileSync(`${ROOT}terraform/modules/alarms/main.tf`, 'utf8')
  const names = [...alarms.matchAll(/^ +"?(?:\$\{host\}-)?([a-z-]+)"? = \{\n\s+text/gm)].map(
    ([, name]) => name!,
  )
  t.ok(names.length >= 11, names.join(' '))
  for (const name of [...names, 'outside']) t.match(page, new RegExp(`^### ${name}$`, 'm'), name)
})

t.test('the commands that docs/operations.md names are there', async (t) => {
  const scripts = Object.keys(
    (JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: object }).scripts,
  )
  for (const [, script] of page.matchAll(/npm run ([a-z:]+)/g))
    t.ok(scripts.includes(script!), `npm run ${script}`)
  const outputs = readFileSync(`${ROOT}terraform/stacks/pesebre/outputs.tf`, 'utf8')
  for (const [, output] of page.matchAll(/stack output -raw (\w+)/g)) t.match(outputs, `output "${output}"`)
})
