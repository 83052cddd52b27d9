/** TD_COAP_LINK_01 to 10 of the ETSI CoAP plugtests. */
import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { type Link, parseLinks } from '@pesebre/coap/codec/link-format'
import { OPTION } from '@pesebre/coap/codec/options'
import t, { type Test } from 'tap'
import { answers, requests, type Scene, td, text, textsIn, uintIn } from './stage.ts'

const PATH = '.well-known/core'

/** Asks for links and returns those that the client shows. */
async function links(t: Test, scene: Scene, path: string, query: readonly string[] = []): Promise<Link[]> {
  const before = requests(scene.wire()).length
  const shown = await scene.ask({ path, query })
  const asked = requests(scene.wire())[before]!
  t.same(textsIn(asked, OPTION.URI_QUERY), query)
  const [answer] = answers(scene.wire(), asked)
  t.equal(answer?.code, CODE.CONTENT)
  t.equal(uintIn(answer!, OPTION.CONTENT_FORMAT), CONTENT_FORMAT.LINK_FORMAT)
  const parsed = parseLinks(text(shown))
  if (parsed === undefined) throw new Error(`Failed to read links: ${text(shown)}`)
  return parsed
}

function hrefs(found: readonly Link[]): string[] {
  return found.map(({ href }) => href)
}

td('TD_COAP_LINK_01: /.well-known/core, in blocks if need be', {}, async (t, scene) => {
  const all = hrefs(await links(t, scene, PATH))
  for (const path of [
    'test',
    'seg1/seg2/seg3',
    'query',
    'separate',
    'large',
    'large-update',
    'large-create',
  ]) {
    t.ok(all.includes(`/${path}`), path)
  }
  for (const path of [
    'large-post',
    'obs',
    'obs-non',
    'obs-large',
    'obs-pumping',
    'validate',
    'multi-format',
  ]) {
    t.ok(all.includes(`/${path}`), path)
  }
  t.notOk(all.includes('/create1'), 'not there before it is created')
})

/** Query, and exactly the links that match it. */
const FILTERS = [
  ['TD_COAP_LINK_02: resources of a type', 'rt=Type1', ['/link1', '/link3']],
  ['TD_COAP_LINK_04: one of several types', 'rt=Type2', ['/link1', '/link2']],
  ['TD_COAP_LINK_05: if and a prefix', 'if=If*', ['/link1', '/link2']],
  ['TD_COAP_LINK_06: sz and an empty prefix', 'sz=*', ['/large', '/large-update']],
  ['TD_COAP_LINK_07: href, complete', 'href=/link1', ['/link1']],
  ['TD_COAP_LINK_08: href and a prefix', 'href=/link*', ['/link1', '/link2', '/link3']],
  ['no such type', 'rt=nothing', []],
  ['one content format of several', 'ct=41', ['/multi-format']],
] as const

for (const [id, query, expected] of FILTERS) {
  td(id, {}, async (t, scene) => {
    t.same(hrefs(await links(t, scene, PATH, [query])), expected)
  })
}

td('TD_COAP_LINK_03: rt and an empty prefix', {}, async (t, scene) => {
  const all = await links(t, scene, PATH)
  const typed = await links(t, scene, PATH, ['rt=*'])
  t.same(hrefs(typed), hrefs(all.filter(({ attributes }) => attributes['rt'] !== undefined)))
  t.ok(typed.length > 0 && typed.length < all.length)
})

td('TD_COAP_LINK_09: links in a hierarchy', {}, async (t, scene) => {
  t.same(hrefs(await links(t, scene, PATH, ['ct=40'])), ['/large-create', '/path'])
  const subs = hrefs(await links(t, scene, 'path'))
  t.same(subs, ['/path/sub1', '/path/sub2', '/path/sub3'])
  for (const href of subs) {
    t.equal(text(await scene.ask({ path: href.slice(1) })), href)
  }
})

td('TD_COAP_LINK_10: an alternate link', {}, async (t, scene) => {
  const [link] = await links(t, scene, PATH, ['rel=alternate'])
  t.match(link, { href: '/alternate', attributes: { anchor: '/test', rel: 'alternate' } })
  const shown = await scene.ask({ path: 'alternate' })
  t.equal(text(shown), text(await scene.ask({ path: 'test' })))
})

td('what a client creates is listed with its size, until it is deleted', {}, async (t, scene) => {
  const body = { method: 'put', path: 'create1', contentFormat: 0, payload: 'created' } as const
  await scene.ask(body)
  t.match(await links(t, scene, PATH, ['href=/create1']), [{ attributes: { sz: '7', ct: '0' } }])
  await scene.ask({ method: 'delete', path: 'create1' })
  t.same(await links(t, scene, PATH, ['href=/create1']), [])
})

t.end()
