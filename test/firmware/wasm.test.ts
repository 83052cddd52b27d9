import { readFileSync } from 'node:fs'
import t from 'tap'
import { wasmSourcesHash } from './wasm-sources.ts'

t.test(
  'the committed WebAssembly is of these sources: after a change run firmware/build-wasm.sh',
  async (t) => {
    const committed = readFileSync(
      new URL('../../local/src/demo/feeder.wasm.sha256', import.meta.url),
      'utf8',
    )
    t.equal(wasmSourcesHash(), committed.trim())
  },
)
