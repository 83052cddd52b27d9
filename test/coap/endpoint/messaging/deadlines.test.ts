import { Deadlines } from '@pesebre/coap/endpoint/messaging/deadlines'
import fc from 'fast-check'
import t from 'tap'

interface Item {
  readonly name: number
  deadline: number
  place: number
}

t.test('Deadlines: things come out in order, whatever was added, moved and removed', (t) => {
  const change = fc.record({
    kind: fc.constantFrom('add', 'move', 'remove', 'due'),
    name: fc.nat({ max: 30 }),
    time: fc.nat({ max: 100 }),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const deadlines = new Deadlines<Item>()
      const items = Array.from({ length: 31 }, (_, name): Item => ({ name, deadline: 0, place: -1 }))
      const model = new Map<Item, number>()
      for (const { kind, name, time } of changes) {
        const item = items[name]!
        if (kind === 'add' && !model.has(item)) {
          deadlines.add(item, time)
          model.set(item, time)
        } else if (kind === 'move') {
          deadlines.move(item, time)
          model.set(item, time)
        } else if (kind === 'remove') {
          deadlines.remove(item)
          model.delete(item)
        } else if (kind === 'due') {
          const earliest = Math.min(Infinity, ...model.values())
          const due = deadlines.due(time)
          if ((due === undefined) !== earliest > time) return false
          if (due !== undefined && model.get(due) !== earliest) return false
          if (due !== undefined) model.delete(due)
        }
        if (deadlines.next() !== Math.min(Infinity, ...model.values()) || deadlines.count !== model.size)
          return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass('as the model')
  t.end()
})
