import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'

/**
 * Keeps a second process off the journal in `dir`; two writers would tear it. An abstract Unix socket of Linux serves
 * as the lock, since the kernel lets go of it however the process ends. Elsewhere there is no lock.
 * Rejects if another process has it.
 */
export async function lockJournal(dir: string): Promise<() => void> {
  mkdirSync(dir, { recursive: true })
  if (process.platform !== 'linux') return () => {}
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`Cannot use the journal directory: another gateway has it open: ${dir}`, { cause })),
    )
    server.listen(`\0pesebre-journal-${name}`, resolve)
  })
  server.unref()
  return () => server.close()
}
