/** All state of the local AWS IoT in one SQLite file. What a statement wrote survives a killed process. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Store = {
  readonly db: DatabaseSync
  /** Rises with each change of things, certificates, policies or attachments: decisions made before may be wrong. */
  revision(): number
  /** Runs a change of those as one transaction. */
  change<T>(write: () => T): T
  close(): void
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS thing_types (
    name TEXT PRIMARY KEY, id TEXT NOT NULL, properties TEXT NOT NULL, created INTEGER NOT NULL, deprecated INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS things (
    name TEXT PRIMARY KEY, id TEXT NOT NULL, type TEXT, attributes TEXT NOT NULL, version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS certificates (
    id TEXT PRIMARY KEY, pem TEXT NOT NULL, status TEXT NOT NULL, created INTEGER NOT NULL,
    modified INTEGER NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policies (
    name TEXT PRIMARY KEY, document TEXT NOT NULL, created INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policy_targets (
    policy TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (target, policy)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS thing_principals (
    thing TEXT NOT NULL, principal TEXT NOT NULL, PRIMARY KEY (thing, principal)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS shadows (
    thing TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, metadata TEXT NOT NULL,
    deleted INTEGER, PRIMARY KEY (thing, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS retained (
    topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL, properties BLOB, modified INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (
    client TEXT PRIMARY KEY, expires INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS session_subscriptions (
    client TEXT NOT NULL, filter TEXT NOT NULL, options TEXT NOT NULL, PRIMARY KEY (client, filter)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS session_messages (
    client TEXT NOT NULL, counter INTEGER NOT NULL, message_id INTEGER, packet BLOB NOT NULL,
    PRIMARY KEY (client, counter)
  ) STRICT;
`

/**
 * Opens the store of a directory, for one process at a time.
 * @throws Error when another process has it open
 */
export function openStore(dir: string): Store {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'iot.sqlite')
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // WAL with NORMAL hands each commit to the kernel before the answer: it outlives this process, killed or not.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    db.exec(SCHEMA)
  } catch (error) {
    db.close()
    throw new Error(`Cannot open the store of the local AWS IoT: ${path}`, { cause: error })
  }
  let revision = 0
  return {
    db,
    revision: () => revision,
    change(write) {
      revision++
      db.exec('BEGIN IMMEDIATE')
      try {
        const result = write()
        db.exec('COMMIT')
        return result
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    close: () => db.close(),
  }
}
