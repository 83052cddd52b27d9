import { filterLinks, formatLinks, type Link, parseLinks } from '@pesebre/coap/codec/link-format'
import fc from 'fast-check'
import t from 'tap'

const links: readonly Link[] = [
  { href: '/sensors', attributes: { ct: '40', title: 'Sensor Index' } },
  { href: '/sensors/temp', attributes: { rt: 'temperature-c outside', if: 'sensor' } },
  { href: '/sensors/light', attributes: { rt: 'light-lux', if: 'sensor', obs: true } },
]
const text =
  '</sensors>;ct=40;title="Sensor Index",</sensors/temp>;rt="temperature-c outside";if="sensor",' +
  '</sensors/light>;rt="light-lux";if="sensor";obs'

t.test('formatLinks() writes what RFC 6690 section 5 shows', (t) => {
  t.equal(formatLinks(links), text)
  t.equal(formatLinks([]), '')
  t.end()
})

t.test('parseLinks() reads it back, and blanks, escapes and numbers in quotes', (t) => {
  t.strictSame(plain(parseLinks(text)), links)
  t.same(parseLinks(''), [])
  t.same(plain(parseLinks(' <a> ; x = 1'.replaceAll(' = ', '='))), [{ href: 'a', attributes: { x: '1' } }])
  t.same(plain(parseLinks('</a>;t="a \\"b\\" , <c>;"')), [{ href: '/a', attributes: { t: 'a "b" , <c>;' } }])
  t.same(plain(parseLinks('</a>;rt=one;rt=two')), [{ href: '/a', attributes: { rt: 'one' } }])
  t.end()
})

t.test('parseLinks() refuses what is no list of links', (t) => {
  for (const wrong of ['x', '</a', '</a>x', '</a>,', '</a>;', '</a>;=1', '</a> </b>', '</a>;t="x']) {
    t.equal(parseLinks(wrong), undefined, wrong)
  }
  t.end()
})

t.test('filterLinks() matches rt, if, href and whatever else is there, with a trailing *', (t) => {
  const table: readonly [query: string[], hrefs: string[]][] = [
    [[], ['/sensors', '/sensors/temp', '/sensors/light']],
    [['rt=light-lux'], ['/sensors/light']],
    [['rt=outside'], ['/sensors/temp']],
    [['rt=temp'], []],
    [['rt=temp*'], ['/sensors/temp']],
    [['rt=*'], ['/sensors/temp', '/sensors/light']],
    [['if=sensor'], ['/sensors/temp', '/sensors/light']],
    [['href=/sensors'], ['/sensors']],
    [['href=/sensors*'], ['/sensors', '/sensors/temp', '/sensors/light']],
    [['href=/other*'], []],
    [['title=Sensor Index'], ['/sensors']],
    [['title=Sensor'], []],
    [['obs'], ['/sensors/light']],
    [['ct=40'], ['/sensors']],
    [['if=sensor', 'rt=light-lux'], ['/sensors/light']],
    [['toString=*'], []],
    [[''], ['/sensors', '/sensors/temp', '/sensors/light']],
  ]
  for (const [query, hrefs] of table)
    t.same(
      filterLinks(links, query).map((link) => link.href),
      hrefs,
      query.join('&'),
    )
  t.end()
})

t.test('parseLinks(formatLinks(l)) is l', (t) => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/).filter((word) => word !== '__proto__')
  const value = fc.oneof(fc.string({ maxLength: 12 }), fc.constant<true>(true))
  const generated = fc.array(
    fc.record({
      href: fc.string({ maxLength: 12 }).filter((href) => !href.includes('>')),
      attributes: fc.dictionary(name, value, { maxKeys: 4 }),
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(generated, (list) => {
      t.strictSame(plain(parseLinks(formatLinks(list))), plain(list))
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('parseLinks() ends on whatever text', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'<>;,="\\ ax/'), maxLength: 30 }), (soup) => {
      parseLinks(soup)
    }),
  )
  t.pass('it ends')
  t.end()
})

/** Without the null prototype, so that it compares. */
function plain(list: readonly Link[] | undefined): Link[] | undefined {
  return list?.map(({ href, attributes }) => ({ href, attributes: { ...attributes } }))
}
