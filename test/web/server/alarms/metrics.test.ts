import { Registry } from 'prom-client'
import t from 'tap'
import { countAlarms } from '../../../../web/server/src/alarms/metrics.ts'
import { openAlarmStore } from '../../../../web/server/src/alarms/store.ts'
import { openDatabase } from '../../../../web/server/src/db/database.ts'

t.test('/metrics shows how many alarms of each kind are active', async (t) => {
  const db = await openDatabase(`${t.testdir()}/web.sqlite`)
  t.teardown(() => db.close())
  const registry = new Registry()
  countAlarms(registry, db)
  t.match(await registry.metrics(), 'pesebre_alarms_active{kind="jammed"} 0')
  const store = openAlarmStore(db)
  const alarm = { kind: 'jammed', at: 1, horse: null, stable: null, detail: {} } as const
  await store.raise({ thing: 'feeder-00000001', ...alarm })
  await store.raise({ thing: 'feeder-00000002', ...alarm })
  const page = await registry.metrics()
  t.match(page, 'pesebre_alarms_active{kind="jammed"} 2')
  t.match(page, 'pesebre_alarms_active{kind="interrupted"} 0')
})
