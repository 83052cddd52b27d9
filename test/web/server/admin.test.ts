import t from 'tap'
import { createRegistry, listenAdmin } from '../../../web/server/src/admin.ts'

t.test(
  'the admin port says that the process runs, whether it can serve and why not, and what it counts',
  async (t) => {
    let reasons: string[] = []
    const registry = createRegistry()
    const admin = await listenAdmin({ host: '127.0.0.1', port: 0, notReady: async () => reasons, registry })
    t.after(() => admin.close())
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${admin.port}${path}`)
      return { status: answer.status, text: await answer.text() }
    }
    t.match(await ask('/healthz'), { status: 200, text: '{"alive":true}' })
    t.match(await ask('/readyz'), { status: 200, text: '{"ready":true,"reasons":[]' })
    reasons = ['database: disk full']
    t.match(await ask('/readyz'), { status: 503, text: /database: disk full/ })
    t.match(await ask('/metrics'), { status: 200, text: /pesebre_web_process_cpu_seconds_total/ })
    t.equal((await ask('/nothing')).status, 404)
  },
)
