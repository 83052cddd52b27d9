import t from 'tap'
import { choose } from '../../../web/app/src/words/choose.ts'
import { en } from '../../../web/app/src/words/en.ts'
import { es } from '../../../web/app/src/words/es.ts'

/** Every text by its path; functions are asked with stand-ins. */
function textsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function') return [[path, String(value('«1»', '«2»', '«3»'))]]
  return Object.entries(value as object).flatMap(([key, inner]) => textsOf(inner, `${path}.${key}`))
}

t.test('both languages say everything, and use what they are given', async (t) => {
  const english = new Map(textsOf(en))
  const spanish = new Map(textsOf(es))
  t.same([...spanish.keys()].sort(), [...english.keys()].sort(), 'the same paths')
  for (const [path, text] of [...english, ...spanish]) t.ok(text.trim() !== '', `${path} is not empty`)
  for (const [path, text] of english) {
    const given = (said: string) => [...said.matchAll(/«\d»/g)].map(([each]) => each).sort()
    t.same(given(spanish.get(path) ?? ''), given(text), `${path} uses the same values`)
  }
})

t.test('nobody reads an English sentence in Spanish', async (t) => {
  const same = textsOf(es).filter(
    ([path, text]) => new Map(textsOf(en)).get(path) === text && text.length > 12,
  )
  t.same(
    same.map(([path]) => path),
    [],
    'no long text is the same in both',
  )
})

t.test(
  'choose() takes the kept language, else the first that the browser asks for and we have',
  async (t) => {
    t.equal(choose('en', ['es-ES']), 'en')
    t.equal(choose(null, ['de-DE', 'es-MX', 'en']), 'es')
    t.equal(choose(null, ['gl-ES', 'en']), 'es', 'Galician reads Spanish before English')
    t.equal(choose(null, ['de-DE']), 'en')
    t.equal(choose('nonsense', []), 'en')
  },
)
