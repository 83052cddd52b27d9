import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { freePort } from '../../local/src/supervisor/ports.ts'
import { missing, onPath } from './needs.ts'

/** Why tests on MySQL are skipped, or false. Debian: mariadb-server. */
export const noMariadb = missing('MariaDB (mariadb-server)', () => {
  onPath('mariadbd')
  onPath('mariadb-install-db')
})

/** A database server of its own, with everything in a new directory: nothing of it outlasts the test. */
export type Mariadb = {
  /** `mysql://root@127.0.0.1:<port>`, to which a name is added. */
  readonly url: string
  stop(): Promise<void>
}

const START_MS = 60_000

export async function startMariadb(): Promise<Mariadb> {
  // Not t.testdir(): the path of a socket has at most 107 characters.
  const dir = mkdtempSync(join(tmpdir(), 'mariadb-'))
  chmodSync(dir, 0o700)
  const data = join(dir, 'data')
  const own = ['--no-defaults', `--datadir=${data}`, `--user=${userInfo().username}`]
  execFileSync(
    'mariadb-install-db',
    [...own, '--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'],
    { stdio: 'ignore' },
  )
  const port = await freePort('tcp')
  const server = spawn(
    'mariadbd',
    [
      ...own,
      `--socket=${join(dir, 'socket')}`,
      `--pid-file=${join(dir, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      // Nothing has to survive here.
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-doublewrite=0',
      '--innodb-buffer-pool-size=64M',
      '--innodb-log-file-size=16M',
      '--skip-log-bin',
      '--performance-schema=OFF',
    ],
    { stdio: 'ignore' },
  )
  const exited = once(server, 'exit')
  const url = `mysql://root@127.0.0.1:${port}`
  const stop = async () => {
    server.kill('SIGKILL')
    await exited
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await untilUp(url, () => server.exitCode !== null)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

async function untilUp(url: string, isGone: () => boolean): Promise<void> {
  const end = Date.now() + START_MS
  for (;;) {
    try {
      const connection = await createConnection(url)
      await connection.end()
      return
    } catch (error) {
      if (isGone() || Date.now() > end) throw new Error('Cannot start MariaDB', { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
