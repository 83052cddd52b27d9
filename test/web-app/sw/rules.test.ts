import t from 'tap'
import { filesOf, hasExpired, routeOf } from '../../../web/app/src/sw/rules.ts'

const origin = 'https://pesebre.example'
const asked = (path: string, more: { method?: string; mode?: string } = {}) =>
  routeOf({ method: 'GET', mode: 'no-cors', url: new URL(path, origin), origin, ...more })

t.test('the service worker never answers for the API', async (t) => {
  for (const path of ['/api/session', '/api/horses/x/picture', '/relay/v1/view/x', '/healthz'])
    t.equal(asked(path, { mode: 'navigate' }), 'pass', path)
  t.equal(asked('/apiary', { mode: 'navigate' }), 'page', 'only whole names')
})

t.test(
  'pages come from the network first, hashed files from the cache, the rest is left alone',
  async (t) => {
    t.equal(asked('/horses/x', { mode: 'navigate' }), 'page')
    t.equal(asked('/assets/index-abc.js'), 'file')
    t.equal(asked('/icon.svg'), 'pass')
    t.equal(asked('/', { method: 'POST', mode: 'navigate' }), 'pass')
    t.equal(asked('https://elsewhere.example/assets/x.js'), 'pass')
  },
)

t.test('what a page names is kept, entries of older versions are not', async (t) => {
  const html = '<script src="/assets/index-2.js"></script><link href="/assets/a.css"><link href="/icon.svg">'
  const files = filesOf(html)
  t.same(files, ['/assets/index-2.js', '/assets/a.css'])
  t.ok(hasExpired('/assets/index-1.js', files))
  t.notOk(hasExpired('/assets/index-2.js', files))
  t.notOk(hasExpired('/assets/history-1.js', files), 'a page that loads later still finds its files')
})
