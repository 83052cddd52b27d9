import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { DEVICES, PER_SECOND_MAX, writeFleetKeys, writeProtected } from './fleet.ts'
import { load } from './load.ts'
import { closedLoop, type Plan } from './plan.ts'
import { BUILD } from './processes.ts'
import { startGateway } from './servers.ts'

const FOLDER = `${BUILD}profile/`
const ROOT = new URL('..', import.meta.url).href
const TOP = 25
/** A regular expression is named after its whole source. */
const NAME_MAX = 60

/** A V8 CPU profile, as far as it is read here. Times in microseconds. */
export type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/**
 * Where the gateway's time goes: by part of the tree, then the functions with the most time of their own. `kind`: the ordinary
 * load, or protected check-ins.
 */
export async function profile(plan: Plan, kind: 'open' | 'protected' = 'open'): Promise<string> {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${FOLDER}`, '--cpu-prof-interval=250']
  const fleetKeys = kind === 'protected' ? writeFleetKeys() : undefined
  const seconds = plan.warmup + plan.seconds * 2
  const file =
    fleetKeys && writeProtected({ name: 'check-ins', devices: DEVICES, count: PER_SECOND_MAX * seconds })
  const server = await startGateway({ nodeArguments, ...(fleetKeys && { fleetKeys }) })
  let rate = 0
  try {
    const o = { ...closedLoop(plan, server), seconds: plan.seconds * 2 }
    rate = (await load({ ...o, ...(file && { datagramsFile: file }) })).rps
  } finally {
    await server.stop()
  }
  const parts = readdirSync(FOLDER).map((file) => summarise(JSON.parse(readFileSync(FOLDER + file, 'utf8'))))
  return [`${Math.round(rate)} requests/s with the profiler running; one table per thread`, ...parts].join(
    '\n\n',
  )
}

/** Self time of a profile by part and by function, without the time in which the thread waited. */
export function summarise(profile: CpuProfile): string {
  const places = new Map(profile.nodes.map((node) => [node.id, place(node.callFrame)]))
  const functions = new Map<string, number>()
  const areas = new Map<string, number>()
  let busy = 0
  for (const [i, sample] of profile.samples.entries()) {
    const at = places.get(sample)
    const time = profile.timeDeltas[i] ?? 0
    if (!at || at.name === '(idle)') continue
    busy += time
    functions.set(at.name, (functions.get(at.name) ?? 0) + time)
    areas.set(at.area, (areas.get(at.area) ?? 0) + time)
  }
  const lines = (all: Map<string, number>) =>
    [...all]
      .sort((a, b) => b[1] - a[1])
      .slice(0, TOP)
      .map(([name, time]) => `${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}`)
  return [`busy ${(busy / 1e6).toFixed(1)} s`, ...lines(areas), '', ...lines(functions)].join('\n')
}

function place(frame: CpuProfile['nodes'][number]['callFrame']): { area: string; name: string } {
  const name = (frame.functionName || '(anonymous)').slice(0, NAME_MAX)
  if (frame.url === '') return { area: name.startsWith('(') ? name : 'native', name }
  if (frame.url.startsWith('node:')) return { area: frame.url, name: `${name}  ${frame.url}` }
  const path = frame.url.replace(ROOT, '')
  const area = path.startsWith('node_modules/')
    ? path.split('/').slice(0, 3).join('/')
    : path.split('/').slice(0, -1).join('/')
  return { area, name: `${name}  ${path}:${frame.lineNumber + 1}` }
}
