// The queue that the forwarding scenarios use: fauxqs in memory, as a process of its own. Twice a second it takes out what
// has arrived, so that memory stays flat. With a file as second argument it keeps a bitmap of the "seq" in every record's
// state and writes it, with the counts, when told to stop: what a queue's reader would have got.
// Arguments: the queue's port, the port that says over HTTP what has arrived so far, [the file].
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { startFauxqs } from 'fauxqs'

const port = Number(process.argv[2])
const tallyPort = Number(process.argv[3])
const tallyFile = process.argv[4]
const seen = Buffer.alloc(tallyFile ? 1 << 25 : 0)
const tally = { messages: 0, bytes: 0, records: 0, repeats: 0 }

const server = await startFauxqs({
  port,
  host: '127.0.0.1',
  logger: false,
  init: { queues: [{ name: 'pesebre-reports' }] },
})

function take(): void {
  const messages = server.inspectQueue('pesebre-reports')?.messages.ready ?? []
  for (const message of messages) {
    tally.messages++
    tally.bytes += Buffer.byteLength(message.body)
    if (tallyFile) countRecords(message.body)
  }
  if (messages.length > 0) server.reset()
}

function countRecords(body: string): void {
  for (const record of JSON.parse(body).records) {
    tally.records++
    const seq: number = record.state.seq
    const bit = 1 << (seq & 7)
    const at = seq >>> 3
    const before = seen[at] ?? 0
    if (before & bit) tally.repeats++
    seen[at] = before | bit
  }
}

const timer = setInterval(take, 500)
createServer((_request, response) => {
  take()
  response.end(JSON.stringify(tally))
}).listen(tallyPort, '127.0.0.1')

process.once('SIGTERM', () => {
  clearInterval(timer)
  take()
  if (tallyFile) writeFileSync(tallyFile, seen)
  process.exit(0)
})
