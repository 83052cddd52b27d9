/** What one scenario found. Every figure is given once per round, so that spreads and pairwise ratios can be shown. */
export type Findings = {
  name: string
  title: string
  /** Conditions in one or two sentences. */
  how: string
  rows: Row[]
  goals: Goal[]
  notes: string[]
}

export type Row = { what: string; unit: string; values: number[] }

/** Something that was to be reached. `values` are compared by their median. */
export type Goal = { what: string; values: number[]; at: 'least' | 'most'; target: number; unit?: string }

export type Spread = { min: number; median: number; max: number }

/** Smallest, middle and largest of the figures; of an even count the middle is the lower of the two. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) return { min: Number.NaN, median: Number.NaN, max: Number.NaN }
  return { min: sorted[0] ?? middle, median: middle, max: sorted.at(-1) ?? middle }
}

export function median(values: readonly number[]): number {
  return spread(values).median
}

/** a[i] / b[i]: both were measured in the same round, one after the other, so a slow moment touches both. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.slice(0, b.length).map((value, i) => value / (b[i] ?? Number.NaN))
}

export function reached(goal: Goal): boolean {
  const value = median(goal.values)
  return goal.at === 'least' ? value >= goal.target : value <= goal.target
}

/** One scenario's tables, for a terminal and for Markdown alike. */
export function describe(findings: Findings): string {
  const rows = findings.rows.map((row) => [row.what, ...cells(row.values), row.unit])
  const goals = findings.goals.map((goal) => [
    goal.what,
    ...cells(goal.values),
    `at ${goal.at} ${number(goal.target)}${goal.unit ? ` ${goal.unit}` : ''}`,
    reached(goal) ? 'reached' : '**not reached**',
  ])
  const parts = [`### ${findings.title}`, findings.how]
  if (rows.length > 0) parts.push(table(['', 'min', 'median', 'max', ''], rows))
  if (goals.length > 0) parts.push(table(['goal', 'min', 'median', 'max', 'asked', ''], goals))
  parts.push(...findings.notes.map((note) => `- ${note}`))
  return parts.join('\n\n')
}

function cells(values: readonly number[]): string[] {
  const s = spread(values)
  return [number(s.min), number(s.median), number(s.max)]
}

function number(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
