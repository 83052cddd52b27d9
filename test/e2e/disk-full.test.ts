import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startFlakyProxy } from '../fakes/flaky-proxy.ts'
import { isReady, startGateway } from '../fakes/gateway-process.ts'
import { missing } from '../fakes/needs.ts'
import { startReporters } from '../fakes/reporters.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'
import { drainQueue, nameOf } from './queue-contents.ts'

// Of the whole file: tap's own limit would be 30 seconds.
t.setTimeout(120_000)

const skip = missing('the right to mount a tmpfs (root on Linux)', () => unmount(mountSmallDisk()))

// D3: a full disk means 5.03, no acknowledgement, a red /readyz and /health, and recovery without a restart.
t.test('a small file system filled under load', { timeout: 120_000, skip }, async (t) => {
  const disk = mountSmallDisk()
  const sqs = await startSqs()
  const proxy = await startFlakyProxy(Number(new URL(sqs.url).port))
  const gateway = await startGateway({
    env: {
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${proxy.port}`,
      PESEBRE_QUEUE_URL: sqs.queueUrl,
      PESEBRE_DEVICE_RATE: '100000',
      PESEBRE_ADDRESS_RATE: '100000',
      PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
    },
    journalDir: join(disk, 'journal'),
  })
  const reporters = startReporters({ devices: 16, port: gateway.coapPort })
  t.teardown(async () => {
    reporters.close()
    await gateway.kill()
    await proxy.close()
    await sqs.close()
    unmount(disk)
  })
  for (const round of [1, 2, 3]) {
    await until(
      '100 acknowledged',
      () => reporters.acknowledged.size > round * 100,
      () => reporters.codes,
    )
    // Otherwise sent segments are deleted, and the disk is not full for long.
    proxy.set('refuse')
    const refused = () => reporters.codes['5.03'] ?? 0
    let taken = 0
    let refusedBefore = 0
    const isFull = () => {
      if (fill(disk) > 0 || reporters.acknowledged.size !== taken) {
        taken = reporters.acknowledged.size
        refusedBefore = refused()
      }
      return refused() > refusedBefore + 20
    }
    await until('20 refused, none taken', isFull, () => reporters.codes)
    const red = await gateway.admin('/readyz')
    t.match(red, { status: 503, body: /journal/ }, `round ${round}: not ready, and says why`)
    await sleep(300)
    t.equal(
      reporters.acknowledged.size,
      taken,
      `round ${round}: nothing is acknowledged while the disk is full`,
    )
    rmSync(join(disk, 'filler'))
    proxy.set('pass')
    await isReady(gateway)
    await until(
      '100 more acknowledged',
      () => reporters.acknowledged.size > taken + 100,
      () => reporters.codes,
    )
    t.pass(`round ${round}: ready and taking reports again, without a restart`)
  }
  reporters.pause()
  t.equal(await gateway.stop(), 0)
  const delivered = new Set((await drainQueue(sqs)).map(nameOf))
  t.same(
    [...reporters.acknowledged].filter((name) => !delivered.has(name)),
    [],
    `all ${reporters.acknowledged.size} acknowledged reports arrived`,
  )
})

function mountSmallDisk(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    rmSync(dir, { recursive: true })
    throw error
  }
  return dir
}

function unmount(dir: string): void {
  execFileSync('umount', [dir], { stdio: 'pipe' })
  rmSync(dir, { recursive: true })
}

/**
 * Takes all that is left on the disk, to the last byte. Returns how much that was, with what the gateway has taken for a segment to
 * come: it gives that back when it finds that the disk is full.
 */
function fill(disk: string): number {
  const before = sizeOf(join(disk, 'filler'))
  for (let block = 65_536; block >= 1; block = Math.floor(block / 2)) {
    try {
      for (;;) writeFileSync(join(disk, 'filler'), Buffer.alloc(block), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  return sizeOf(join(disk, 'filler')) - before + sizeOf(join(disk, 'journal/0/spare.new'))
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
