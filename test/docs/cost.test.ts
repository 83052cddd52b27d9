import { readFileSync } from 'node:fs'
import t from 'tap'
import { minimal, naive, pesebre, tables, total } from '../../docs/cost.ts'

t.test('docs/cost.md shows what docs/cost.ts prints', async (t) => {
  const page = readFileSync(new URL('../../docs/cost.md', import.meta.url), 'utf8')
  t.equal(page.slice(page.indexOf('### By fleet')), tables())
})

t.test('the minimal example costs at most 17 dollars a month', async (t) => {
  t.ok(total(minimal()) <= 17, `${total(minimal())}`)
  for (const [part, dollars] of Object.entries(minimal())) t.ok(dollars >= 0, part)
})

t.test('packing and writing on change is what makes a large fleet cheap', async (t) => {
  t.ok(total(pesebre(1_000_000, 'medium')) < total(naive(1_000_000, 'medium')) / 5)
})
