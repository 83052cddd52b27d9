import t from 'tap'
import { handedSockets } from '../../gateway/src/handed-sockets.ts'

t.test('handedSockets() are those of this process, as many as workers', async (t) => {
  t.strictSame(handedSockets({}, 7, 1), [])
  t.strictSame(handedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7, 1), [3])
  t.strictSame(handedSockets({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7, 2), [3, 4])
  t.strictSame(
    handedSockets({ LISTEN_PID: '6', LISTEN_FDS: '1' }, 7, 1),
    [],
    'those of a parent are not ours',
  )
  t.strictSame(handedSockets({ LISTEN_PID: '7', LISTEN_FDS: '0' }, 7, 1), [])
  t.throws(() => handedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7, 2), {
    message: /1 given for 2 workers \(PESEBRE_WORKERS\); allowed: one ListenDatagram line for each worker$/,
  })
})
