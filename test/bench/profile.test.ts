import t from 'tap'
import { summarise } from '../../bench/profile.ts'

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 6 })

t.test('summarise: time of its own by part of the tree and by function, without idle time', async (t) => {
  const root = new URL('../../', import.meta.url).href
  const text = summarise({
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('decode', `${root}coap/src/codec/message.ts`) },
      { id: 3, callFrame: frame('send', 'node:dgram') },
    ],
    samples: [1, 2, 3, 2],
    timeDeltas: [5000, 100, 100, 200],
  })
  t.match(text, ' 75.0 %  coap/src/codec\n')
  t.match(text, ' 75.0 %  decode  coap/src/codec/message.ts:7')
  t.match(text, ' 25.0 %  node:dgram')
  t.notMatch(text, 'idle')
})
