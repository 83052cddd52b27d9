import { execFileSync } from 'node:child_process'

/**
 * What a test needs beyond Node: a reason to skip, said loudly, or false if it is there.
 * With REQUIRE_ALL=1 (`.ci/run`) nothing is skipped: the test runs, and fails where it lacks something.
 */
export function missing(what: string, probe: () => void): string | false {
  try {
    probe()
    return false
  } catch {
    if (process.env['REQUIRE_ALL'] === '1') return false
    const reason = `NOT RUN, this machine lacks: ${what}`
    console.error(`\n*** ${reason} ***\n`)
    return reason
  }
}

/** Throws unless `command` is on the PATH. */
export function onPath(command: string): void {
  execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
}
