import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isReady, startGateway } from '../fakes/gateway-process.ts'
import { missing } from '../fakes/needs.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'
import { fleetKeyFile } from './secure-device.ts'
import { startSecureReporters } from './secure-reporters.ts'

t.setTimeout(120_000)

const skip = missing('the right to mount a tmpfs (root on Linux)', () => unmount(mountSmallDisk()))

// D3 under OSCORE: segments can only go once the windows are stored, and that must not need the room that they take.
t.test(
  'a disk that is full: registered devices hear 5.03, protected, and all goes on by itself',
  { skip },
  async (t) => {
    const disk = mountSmallDisk()
    const sqs = await startSqs()
    const env = {
      AWS_ENDPOINT_URL_SQS: sqs.url,
      PESEBRE_QUEUE_URL: sqs.queueUrl,
      PESEBRE_FLEET_KEYS: fleetKeyFile(t),
      PESEBRE_DEVICE_RATE: '100000',
      PESEBRE_ADDRESS_RATE: '100000',
      PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
    }
    const gateway = await startGateway({ env, journalDir: join(disk, 'journal') })
    const reporters = startSecureReporters({ devices: 16, host: '127.0.0.1', port: gateway.coapPort })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      await sqs.close()
      unmount(disk)
    })
    await until(
      '600 acknowledged',
      () => reporters.acknowledged.size > 600,
      () => reporters.codes,
    )
    for (const round of [1, 2]) {
      // Sent segments make room again, so it is filled until it stays so.
      const filling = setInterval(() => fill(disk), 20)
      const refused = reporters.codes['5.03'] ?? 0
      await until(
        '700 refused',
        () => (reporters.codes['5.03'] ?? 0) > refused + 700,
        () => reporters.codes,
      )
      t.match(await gateway.admin('/readyz'), { status: 503, body: /journal/ }, `round ${round}`)
      clearInterval(filling)
      const taken = reporters.acknowledged.size
      for (const filler of fillers.splice(0)) rmSync(filler)
      await until(
        '600 more acknowledged',
        () => reporters.acknowledged.size > taken + 600,
        () => reporters.codes,
      )
      await isReady(gateway)
    }
    t.strictSame(Object.keys(reporters.codes).sort(), ['2.04', '5.03'])
  },
)

const fillers: string[] = []

/** Takes all that is left, block by block at the end. */
function fill(disk: string): void {
  for (const size of [1 << 20, 1 << 16, 1 << 12])
    for (;;) {
      const path = join(disk, `filler-${fillers.length}`)
      fillers.push(path)
      try {
        writeFileSync(path, Buffer.alloc(size))
      } catch {
        break
      }
    }
}

function mountSmallDisk(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-small-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir])
  return dir
}

function unmount(dir: string): void {
  execFileSync('umount', ['-l', dir])
  rmSync(dir, { recursive: true, force: true })
}
