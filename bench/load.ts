import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { BUILD, findProgram, LOAD_CORE } from './processes.ts'

const SOURCE = new URL('./coapload.c', import.meta.url).pathname
const BINARY = `${BUILD}coapload`

/** What coapload.c prints, as far as the scenarios use it. Rates per second, times in microseconds. */
export type LoadResult = {
  rps: number
  sent_rps: number
  success_pct: number
  p50_us: number
  p99_us: number
  p999_us: number
  ok: number
  c4: number
  c5: number
  timeout: number
  /** Requests that were sent a second time. */
  again: number
  refused: number
  /** Datagrams that the kernel threw away at the server's socket. */
  kdrops: number
  rss_mb: number
  next_seq: number
  /** Of one core: what the generator used itself, and what others on this machine used meanwhile (percent). */
  gen_cpu: number
  other_cpu: number
  srv_us_per_req: number
}

export type LoadOptions = {
  mode: 'con' | 'non' | 'open' | 'flood' | 'ramp'
  port: number
  path: string
  seconds: number
  warmup?: number
  outstanding?: number
  ports?: number
  things?: number
  addresses?: number
  rate?: number
  noResponse?: boolean
  duplicatesPct?: number
  stopAfter?: number
  firstSeq?: number
  answersFile?: string
  /** Datagrams made beforehand (fleet.ts) instead of readings; each is sent once, and the run ends with the last. */
  datagramsFile?: string
  timeoutMs?: number
  /** Times that the same bytes are sent again before a request counts as lost. */
  retries?: number
  pid?: number
  core?: string
}

/** Compiles the generator when its source is newer than what is there. */
export function buildLoad(): void {
  if (existsSync(BINARY) && statSync(BINARY).mtimeMs > statSync(SOURCE).mtimeMs) return
  const compiler = findProgram('gcc', 'cc', 'clang')
  if (!compiler) {
    throw new Error(
      'Could not build the load generator: a C compiler is missing (on Debian: apt-get install gcc libc6-dev)',
    )
  }
  mkdirSync(BUILD, { recursive: true })
  execFileSync(compiler, ['-O2', '-Wall', '-Wextra', '-o', BINARY, SOURCE, '-lm'], { stdio: 'inherit' })
}

/** The generator's arguments, as BENCHMARKS.md quotes them. */
export function loadArguments(o: LoadOptions): string[] {
  const args = ['-M', o.mode, '-t', String(o.seconds), '-w', String(o.warmup ?? 0), '-u', o.path]
  const numbers: [string, number | undefined][] = [
    ['-n', o.outstanding],
    ['-p', o.ports],
    ['-D', o.things],
    ['-A', o.addresses],
    ['-R', o.rate],
    ['-d', o.duplicatesPct],
    ['-x', o.stopAfter],
    ['-F', o.firstSeq],
    ['-T', o.timeoutMs],
    ['-r', o.retries],
    ['-P', o.pid],
  ]
  for (const [flag, value] of numbers) if (value !== undefined) args.push(flag, String(Math.round(value)))
  if (o.noResponse) args.push('-Q')
  if (o.answersFile) args.push('-O', o.answersFile)
  if (o.datagramsFile) args.push('-f', o.datagramsFile)
  return [...args, '127.0.0.1', String(o.port)]
}

/** One run of the generator on its own core. */
export async function load(o: LoadOptions): Promise<LoadResult> {
  const command = ['-c', o.core ?? LOAD_CORE, BINARY, ...loadArguments(o)]
  const { stdout } = await promisify(execFile)('taskset', command, { encoding: 'utf8' })
  return JSON.parse(stdout) as LoadResult
}
