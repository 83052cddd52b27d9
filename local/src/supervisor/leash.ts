/**
 * Loaded into every process of the stack by `--import`: a supervisor that is killed takes its processes with it.
 * They run in process groups of their own, so that Ctrl-C reaches only the supervisor, which stops them in order;
 * without this, they would outlive it and keep its ports.
 */
import { isMainThread } from 'node:worker_threads'

/** A process that has not stopped by itself this long after its supervisor's death is ended, milliseconds. */
const GRACE_MS = 3000

if (isMainThread && process.channel !== undefined) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The listener alone would keep a process that is finished from ending.
  process.channel?.unref()
}
