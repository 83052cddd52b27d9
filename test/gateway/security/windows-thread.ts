import { parentPort, workerData } from 'node:worker_threads'
import { openWindows, type WindowsMemory } from '../../../gateway/src/security/windows.ts'

/** Since this thread began. */
const PATIENCE_MS = 60_000

/** One of two threads that commit the same numbers: says how many of them were fresh for it. */
const { memory, gate, devices, numbers } = workerData as {
  memory: WindowsMemory
  gate: SharedArrayBuffer
  devices: number
  numbers: number
}
const windows = openWindows(memory)
const arrived = new Int32Array(gate)
Atomics.add(arrived, 0, 1)
// Both at once, or the first would be done before the second begins.
while (Atomics.load(arrived, 0) < 2)
  if (performance.now() > PATIENCE_MS) throw new Error('The other thread did not come')
let fresh = 0
for (let number = 0; number < numbers; number++)
  for (let i = 0; i < devices; i++)
    if (windows.of({ kind: 1, number: i }).commit(number, undefined) === 'fresh') fresh++
parentPort!.postMessage(fresh)
