import { mkdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'

/**
 * Keeps a second process off the journal in `dir`; two writers would tear it. An abstract Unix socket of Linux serves
 * as the lock, since the kernel lets go of it however the process ends; it is seen by processes of one network namespace. Elsewhere
 * there is no lock. Rejects if another process has it.
 */
export async function lockJournal(dir: string): Promise<() => void> {
  mkdirSync(dir, { recursive: true })
  if (process.platform !== 'linux') return () => {}
  // Not its path: in two containers with the host's network it is the same, and the directory another.
  const { dev, ino } = statSync(dir, { bigint: true })
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`Cannot use the journal directory: another gateway has it open: ${dir}`, { cause })),
    )
    server.listen(`\0pesebre-journal-${dev}-${ino}`, resolve)
  })
  server.unref()
  return () => server.close()
}
