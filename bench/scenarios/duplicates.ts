import type { Findings } from '../figures.ts'
import { load } from '../load.ts'
import { closedLoop, type Plan } from '../plan.ts'
import { ABSENT_LIBCOAP, type Contender, pick, takeTurns } from '../turns.ts'

const names: Contender[] = ['npm coap', 'libcoap', 'gateway']

/** The ordinary load with every tenth message sent twice, as a lossy network makes it. */
export async function duplicates(plan: Plan): Promise<Findings> {
  const turns = await takeTurns(plan, names, (server) =>
    load({ ...closedLoop(plan, server), duplicatesPct: 10 }),
  )
  const present = names.filter((name) => turns[name].length > 0)
  return {
    name: 'duplicates',
    title: 'One message in ten sent twice',
    how: 'As the maximum rate; a repeat has the same message id and content and follows its original at once.',
    rows: present.map((name) => ({ what: name, unit: 'requests/s', values: pick(turns[name], 'rps') })),
    goals: [],
    notes: [
      'libcoap runs its handler again for a repeat; npm coap and the gateway answer from memory.',
      ...ABSENT_LIBCOAP,
    ],
  }
}
