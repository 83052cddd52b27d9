import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const skip = missing('systemd-analyze (systemd)', () => onPath('systemd-analyze'))

t.test('systemd understands every line of the units', { skip }, async (t) => {
  for (const folder of ['gateway/systemd', 'docker/web/systemd']) {
    const dir = mkdtempSync(join(tmpdir(), 'pesebre-units-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    const units = readdirSync(join(ROOT, folder)).filter((file) => /\.(service|socket)$/.test(file))
    for (const unit of units) {
      const text = readFileSync(join(ROOT, folder, unit), 'utf8')
      // The release is not on this machine.
      writeFileSync(join(dir, unit), text.replaceAll(/^ExecStart=.*/gm, 'ExecStart=/bin/true'))
    }
    const { stderr, status } = spawnSync(
      'systemd-analyze',
      ['verify', ...units.map((unit) => join(dir, unit))],
      {
        encoding: 'utf8',
      },
    )
    t.equal(status, 0, `${folder}: ${units.join(' ')}`)
    t.notMatch(stderr, /Unknown|ignoring|Failed/, stderr)
  }
})

t.test(
  'the gateway has as many sockets as workers by default, and may stop before systemd kills it',
  async (t) => {
    const socket = readFileSync(join(ROOT, 'gateway/systemd/pesebre-gateway.socket'), 'utf8')
    t.equal(socket.match(/^ListenDatagram=/gm)?.length, 1)
    t.match(socket, /^ReusePort=yes$/m)
    const service = readFileSync(join(ROOT, 'gateway/systemd/pesebre-gateway.service'), 'utf8')
    t.match(service, /^WatchdogSec=\d+$/m)
    t.ok(
      Number(/^TimeoutStopSec=(\d+)$/m.exec(service)![1]) * 1000 > 2 * 3000,
      'twice PESEBRE_STOP_TIMEOUT_MS',
    )
    t.match(service, /^CapabilityBoundingSet=$/m)
    t.match(service, /^User=pesebre-gateway$/m)
  },
)
