import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StackError } from './stack-error.ts'

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

/**
 * Makes the home directory and keeps every other stack out of it.
 * The lock is one that the kernel holds for this process (an SQLite file opened for it alone), so that a stack
 * which was killed leaves nothing behind that a person would have to delete.
 * @param home absolute
 * @returns lets the home go again
 * @throws StackError when another stack has it, or when it cannot be written
 */
export function lockHome(home: string): () => void {
  const pidFile = join(home, 'pid')
  try {
    mkdirSync(join(home, 'logs'), { recursive: true })
  } catch (error) {
    throw unusable(home, error)
  }
  const lock = lockFile(home, pidFile)
  writeFileSync(pidFile, `${process.pid}\n`)
  return () => {
    rmSync(pidFile, { force: true })
    lock.close()
  }
}

function lockFile(home: string, pidFile: string): DatabaseSync {
  try {
    const lock = new DatabaseSync(join(home, 'lock'), { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw unusable(home, error)
    throw new StackError([
      `Another stack runs in ${home} (process ${holder(pidFile)}): stop it, or set PESEBRE_HOME and the ports for a second one`,
    ])
  }
}

function holder(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

function unusable(home: string, cause: unknown): StackError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StackError(
    [`Cannot keep data in ${home}: ${reason}: set PESEBRE_HOME to a directory of yours`],
    {
      cause,
    },
  )
}
