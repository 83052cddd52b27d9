/**
 * The exact text of each element of the top-level array `key` in a JSON object. A record that is set aside keeps its own
 * bytes: parsing and writing it again would lose what may be wrong with it (1e400, a key that is there twice).
 *
 * @param text JSON that has been parsed without error, and holds an array under `key`
 */
export function elementTexts(text: string, key: string): string[] {
  let elements: string[] = []
  let at = afterSpace(text, text.indexOf('{') + 1)
  while (text[at] === '"') {
    const keyEnd = afterString(text, at)
    const valueStart = afterSpace(text, text.indexOf(':', keyEnd) + 1)
    // The last of equal keys wins, as it does in JSON.parse.
    if (JSON.parse(text.slice(at, keyEnd)) === key) elements = elementsAt(text, valueStart)
    at = afterSpace(text, afterSpace(text, afterValue(text, valueStart)) + 1)
  }
  return elements
}

function elementsAt(text: string, start: number): string[] {
  const elements: string[] = []
  let at = afterSpace(text, start + 1)
  while (text[at] !== ']') {
    const end = afterValue(text, at)
    elements.push(text.slice(at, end))
    at = afterSpace(text, end)
    if (text[at] === ',') at = afterSpace(text, at + 1)
  }
  return elements
}

function afterValue(text: string, start: number): number {
  let depth = 0
  let at = start
  do {
    const c = text[at]
    if (c === '"') at = afterString(text, at)
    else if (c === '{' || c === '[') at += 1
    else if (c === '}' || c === ']') at += 1
    else if (c === ',' || c === ':' || isSpace(c)) at += 1
    else at = afterScalar(text, at)
    if (c === '{' || c === '[') depth += 1
    if (c === '}' || c === ']') depth -= 1
  } while (depth > 0)
  return at
}

function afterScalar(text: string, start: number): number {
  let at = start
  while (at < text.length && !',:]}'.includes(text[at]!) && !isSpace(text[at])) at += 1
  return at
}

function afterString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text[at])) at += 1
  return at
}

function isSpace(c: string | undefined): boolean {
  return c === ' ' || c === '\n' || c === '\r' || c === '\t'
}
