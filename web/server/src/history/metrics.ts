import { Counter, Gauge, type Registry } from 'prom-client'
import type { HistoryIndex } from './history.ts'

/** Shows on /metrics how far the index is. `now`: milliseconds since 1970. */
export function countHistory(registry: Registry, history: HistoryIndex, now: () => number): void {
  const registers = [registry]
  const startedAt = now()
  const age: Gauge = new Gauge({
    name: 'pesebre_history_look_age_seconds',
    help: 'Time since the archive was last looked through for new objects without a failure',
    registers,
    collect: () => age.set((now() - (history.health().lookedAt ?? startedAt)) / 1000),
  })
  const objects = new Counter({
    name: 'pesebre_history_objects_total',
    help: 'Objects of the archive that came into the index',
    registers,
  })
  const reports = new Counter({
    name: 'pesebre_history_reports_total',
    help: 'Reports that came into the index, each once',
    registers,
  })
  history.onIndexed(({ rows }) => {
    objects.inc()
    reports.inc(rows)
  })
}
