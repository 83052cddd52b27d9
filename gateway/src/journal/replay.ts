import { readFileSync } from 'node:fs'
import { lineAt, lineJson } from './line.ts'
import { segmentBases, segmentPath } from './segments.ts'

/** Gives every sound line from `position` on that is still on disk to `visit`, sent or not, oldest first. Only before a worker writes. */
export function replayJournal(dir: string, position: number, visit: (json: Buffer) => void): void {
  const bases = segmentBases(dir)
  for (const [i, base] of bases.entries()) {
    const end = bases[i + 1] ?? Number.MAX_SAFE_INTEGER
    if (end <= position) continue
    const bytes = readFileSync(segmentPath(dir, base)).subarray(0, end - base)
    let at = Math.max(0, position - base)
    for (let line = lineAt(bytes, at); line; line = lineAt(bytes, at)) {
      if (line.ok) visit(lineJson(bytes, line))
      at = line.next
    }
  }
}
