const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const

/** How long something took or has lasted, milliseconds, in one unit that a person reads at a glance: `12 ms`, `3 min`. */
export function showDuration(ms: number): string {
  for (const [unit, name] of UNITS) {
    if (ms >= unit) {
      const count = ms / unit
      return `${count < 10 && name === 's' ? count.toFixed(1) : Math.floor(count)} ${name}`
    }
  }
  return `${ms < 10 ? Math.max(ms, 0).toFixed(1) : Math.round(ms)} ms`
}

/** How long ago, milliseconds; AWS tells times of shadows in whole seconds, so less than one is `now`. */
export function showAge(ms: number): string {
  return ms < 1000 ? 'now' : `${showDuration(ms).replace(/\.\d/, '')} ago`
}
