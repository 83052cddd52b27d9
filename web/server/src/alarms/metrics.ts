import { ALARM_KINDS } from '@pesebre/contract/api/alarm'
import { Gauge, type Registry } from 'prom-client'
import type { Database } from '../db/database.ts'

/** Shows on /metrics how many alarms are active, by kind: what wakes an operator is made of it (terraform/modules/alarms). */
export function countAlarms(registry: Registry, db: Database): void {
  new Gauge({
    name: 'pesebre_alarms_active',
    help: 'Alarms that are active',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const rows = await db.sql
        .selectFrom('alarms')
        .select(({ fn }) => ['kind', fn.countAll<number>().as('count')])
        .where('active_key', 'is not', null)
        .groupBy('kind')
        .execute()
      for (const kind of ALARM_KINDS)
        this.set({ kind }, Number(rows.find((row) => row.kind === kind)?.count ?? 0))
    },
  })
}
