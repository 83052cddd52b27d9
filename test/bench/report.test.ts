import t from 'tap'
import { replaceBetween } from '../../bench/report.ts'

t.test('replaceBetween: replaces what stands between its own marks and nothing else', async (t) => {
  const text =
    'Words.\n\n<!-- bench:a -->\nold\n<!-- /bench:a -->\n\n<!-- bench:b -->\nkept\n<!-- /bench:b -->\n'
  const after = replaceBetween(text, 'a', 'new')
  t.equal(after, text.replace('old', 'new'))
})

t.test('replaceBetween: appends a part that has no marks yet, once', async (t) => {
  const once = replaceBetween('Words.\n', 'a', 'first')
  t.equal(once, 'Words.\n\n<!-- bench:a -->\nfirst\n<!-- /bench:a -->\n')
  t.equal(replaceBetween(once, 'a', 'second'), once.replace('first', 'second'))
})
