import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FastifyBaseLogger } from 'fastify'
import { Gauge, type Registry } from 'prom-client'
import { type BackupStore, openBackupStore } from './store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The first look, after everything else has started. */
const FIRST_MS = 60_000
const MAIN = fileURLToPath(new URL('../backup-main.ts', import.meta.url))

/**
 * Makes a backup each day: every hour it looks how old the newest is. A process of its own does the work, so that a large
 * database makes nobody wait.
 * @returns stops it
 */
export function startDailyBackups({
  bucket,
  log,
  registry,
}: {
  bucket: string
  log: FastifyBaseLogger
  registry: Registry
}): () => void {
  const store = openBackupStore(bucket)
  const age = new Gauge({
    name: 'pesebre_web_backup_age_seconds',
    help: 'Age of the newest backup in the bucket',
    registers: [registry],
  })

  async function look(): Promise<void> {
    try {
      const at = await backUpIfOld(store, { now: Date.now(), run: runCommand })
      if (at !== undefined) age.set((Date.now() - at) / 1000)
    } catch (error) {
      log.error({ err: error }, 'backup failed')
    }
  }

  const first = setTimeout(() => void look(), FIRST_MS)
  const timer = setInterval(() => void look(), HOUR_MS)
  for (const one of [first, timer]) one.unref()
  return () => {
    clearTimeout(first)
    clearInterval(timer)
    store.close()
  }
}

/**
 * Has a backup made when the newest is older than a day.
 * @returns when the newest was made by now; undefined: there is still none
 */
export async function backUpIfOld(
  store: Pick<BackupStore, 'list'>,
  { now, run }: { now: number; run: () => Promise<void> },
): Promise<number | undefined> {
  const newest = async () => (await store.list())[0]?.at
  const at = await newest()
  if (at !== undefined && now - at <= DAY_MS) return at
  await run()
  return newest()
}

/** The command, with the settings of this process. @throws Error with what it said */
async function runCommand(): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'save'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(said.trim() || `exit code ${code}`)
}
