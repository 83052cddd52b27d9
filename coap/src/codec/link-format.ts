/** CoRE Link Format (RFC 6690): what `/.well-known/core` answers. */

/** One link: its target and its attributes. `true` is an attribute without a value, such as `obs`. */
export interface Link {
  readonly href: string
  readonly attributes: Readonly<Record<string, string | true>>
}

/** Values of these attributes are lists of words, any of which a filter may name (sections 3.1, 3.2; RFC 7252 7.2.1). */
const LISTS: ReadonlySet<string> = new Set(['rt', 'if', 'rel', 'rev', 'ct'])

/** Writes links. Numbers go bare, as for `ct` and `sz`; every other value in quotes. */
export function formatLinks(links: readonly Link[]): string {
  return links.map(formatLink).join(',')
}

/** Reads a document of links. Undefined if it is not one. */
export function parseLinks(text: string): Link[] | undefined {
  const links: Link[] = []
  let at = skipBlank(text, 0)
  if (at === text.length) return links
  for (;;) {
    const parsed = parseLink(text, at)
    if (parsed === undefined) return undefined
    links.push(parsed.link)
    at = skipBlank(text, parsed.end)
    if (at === text.length) return links
    if (text[at] !== ',') return undefined
    at = skipBlank(text, at + 1)
  }
}

/**
 * The links that match every argument of a query (section 4.1): `rt=light`, `href=/a*` with a trailing `*` for any ending,
 * `obs` for an attribute that only has to be there. An argument without a name is ignored.
 */
export function filterLinks(links: readonly Link[], query: readonly string[]): readonly Link[] {
  return query.reduce<readonly Link[]>(
    (left, argument) => left.filter((link) => matches(link, argument)),
    links,
  )
}

function matches(link: Link, argument: string): boolean {
  const equals = argument.indexOf('=')
  const name = equals < 0 ? argument : argument.slice(0, equals)
  if (name === '') return true
  const held = name === 'href' ? link.href : Object.hasOwn(link.attributes, name) && link.attributes[name]
  if (held === undefined || held === false) return false
  if (equals < 0) return true
  const wanted = argument.slice(equals + 1)
  const values = held === true ? [''] : LISTS.has(name) ? held.split(' ') : [held]
  if (!wanted.endsWith('*')) return values.includes(wanted)
  const start = wanted.slice(0, -1)
  return values.some((value) => value.startsWith(start))
}

function formatLink({ href, attributes }: Link): string {
  return `<${href}>${Object.entries(attributes).map(formatAttribute).join('')}`
}

function formatAttribute([name, value]: [string, string | true]): string {
  if (value === true) return `;${name}`
  if (/^\d+$/.test(value)) return `;${name}=${value}`
  return `;${name}="${value.replace(/["\\]/g, '\\$&')}"`
}

function parseLink(text: string, start: number): { link: Link; end: number } | undefined {
  const close = text.indexOf('>', start)
  if (text[start] !== '<' || close < 0) return undefined
  const attributes: Record<string, string | true> = Object.create(null)
  let at = skipBlank(text, close + 1)
  while (text[at] === ';') {
    const parsed = parseAttribute(text, skipBlank(text, at + 1))
    if (parsed === undefined) return undefined
    // Only the first of several counts, as for rt and if (section 3.1).
    attributes[parsed.name] ??= parsed.value
    at = skipBlank(text, parsed.end)
  }
  return { link: { href: text.slice(start + 1, close), attributes }, end: at }
}

interface Attribute {
  readonly name: string
  readonly value: string | true
  readonly end: number
}

function parseAttribute(text: string, start: number): Attribute | undefined {
  const name = sticky(/[^\s;,="<>]+/y, text, start)
  if (name === undefined) return undefined
  const end = start + name.length
  if (text[end] !== '=') return { name, value: true, end }
  const quoted = sticky(/"(?:[^"\\]|\\.)*"/sy, text, end + 1)
  if (quoted !== undefined) {
    return { name, value: quoted.slice(1, -1).replace(/\\(.)/gs, '$1'), end: end + 1 + quoted.length }
  }
  const bare = sticky(/[^\s;,"]*/y, text, end + 1) ?? ''
  return { name, value: bare, end: end + 1 + bare.length }
}

function sticky(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function skipBlank(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return at
}
