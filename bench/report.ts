import { readFileSync, writeFileSync } from 'node:fs'
import { describe, type Findings } from './figures.ts'

const FILE = new URL('../BENCHMARKS.md', import.meta.url)

/**
 * Puts the figures into BENCHMARKS.md, each scenario between marks of its own, so that one can be measured again alone;
 * the words around them stay. A scenario without marks yet is appended.
 */
export function writeBenchmarks(o: { facts: string[]; findings: Findings[]; command: string }): void {
  let text = readFileSync(FILE, 'utf8')
  for (const findings of o.findings) {
    const how = [`Measured by \`${o.command}\` on:`, ...o.facts.map((fact) => `- ${fact}`)].join('\n')
    text = replaceBetween(text, findings.name, `${describe(findings)}\n\n${how}`)
  }
  writeFileSync(FILE, text)
}

/** Puts the profile into BENCHMARKS.md, between marks of its own. */
export function writeProfile(text: string, command: string): void {
  const content = `### Where the time goes\n\n\`\`\`\n${text}\n\`\`\`\n\nMeasured by \`${command}\`.`
  writeFileSync(FILE, replaceBetween(readFileSync(FILE, 'utf8'), 'profile', content))
}

/** Replaces what stands between the marks of this name, or appends it with its marks. */
export function replaceBetween(text: string, name: string, content: string): string {
  const begin = `<!-- bench:${name} -->`
  const end = `<!-- /bench:${name} -->`
  const block = `${begin}\n${content}\n${end}`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${block}\n`
  return text.slice(0, from) + block + text.slice(to + end.length)
}
