import { Registry } from 'prom-client'
import t from 'tap'
import type { HistoryIndex, OnIndexed } from '../../../../web/server/src/history/history.ts'
import { countHistory } from '../../../../web/server/src/history/metrics.ts'

t.test('countHistory() counts what came in, and shows how long nobody has looked', async (t) => {
  const registry = new Registry()
  const clock = { now: 100_000 }
  const listeners: OnIndexed[] = []
  let lookedAt: number | undefined
  const index: HistoryIndex = {
    onIndexed: (listener) => listeners.push(listener),
    health: () => ({ lookedAt, failure: undefined }),
    stop: async () => {},
  }
  countHistory(registry, index, () => clock.now)
  const numbers = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('pesebre'))
  clock.now += 5000
  t.same(await numbers(), [
    'pesebre_history_look_age_seconds 5',
    'pesebre_history_objects_total 0',
    'pesebre_history_reports_total 0',
  ])
  lookedAt = clock.now - 1000
  for (const listener of listeners) listener({ rows: 7, things: ['a'], meals: [] })
  t.same(await numbers(), [
    'pesebre_history_look_age_seconds 1',
    'pesebre_history_objects_total 1',
    'pesebre_history_reports_total 7',
  ])
})
