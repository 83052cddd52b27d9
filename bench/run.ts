// The benchmark: our gateway beside its peers, one at a time on one core, in one run. `npm run bench -- --help`.
import { parseArgs } from 'node:util'
import { describe, type Findings, reached } from './figures.ts'
import { buildLoad } from './load.ts'
import { machineFacts } from './machine.ts'
import { FULL, type Plan, progress, QUICK } from './plan.ts'
import { stopAll } from './processes.ts'
import { profile } from './profile.ts'
import { writeBenchmarks, writeProfile } from './report.ts'
import { bridge } from './scenarios/bridge.ts'
import { contexts } from './scenarios/contexts.ts'
import { duplicates } from './scenarios/duplicates.ts'
import { feeding } from './scenarios/feeding.ts'
import { history } from './scenarios/history.ts'
import { latency } from './scenarios/latency.ts'
import { live } from './scenarios/live.ts'
import { memory } from './scenarios/memory.ts'
import { non } from './scenarios/non.ts'
import { oscore } from './scenarios/oscore.ts'
import { page } from './scenarios/page.ts'
import { ports } from './scenarios/ports.ts'
import { relay } from './scenarios/relay.ts'
import { soak } from './scenarios/soak.ts'
import { throughput } from './scenarios/throughput.ts'
import { workers } from './scenarios/workers.ts'
import { libcoapProgram } from './servers.ts'

const scenarios: Record<string, (plan: Plan) => Promise<Findings>> = {
  throughput,
  latency,
  ports,
  duplicates,
  non,
  workers,
  soak,
  memory,
  bridge,
  oscore,
  contexts,
  relay,
  history,
  live,
  feeding,
  page,
}

const HELP = `Sets our gateway beside npm coap, libcoap and a raw UDP echo on this machine.

npm run bench                       everything, about twenty minutes
npm run bench -- --quick            everything, shorter, a few minutes
npm run bench -- --only NAME        one scenario (repeatable): ${Object.keys(scenarios).join(', ')}
npm run bench -- --rounds N         turns that the servers take
npm run bench -- --json             the figures as JSON on standard output
npm run bench -- --write            also put the figures into BENCHMARKS.md
npm run bench -- --profile          where the gateway's time goes under the ordinary load; with --only oscore, under check-ins`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stopAll().finally(() => process.exit(130))
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  await stopAll()
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main(): Promise<number> {
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const names = options.only.length > 0 ? options.only : Object.keys(scenarios)
  const unknown = names.filter((name) => !(name in scenarios))
  if (unknown.length > 0) throw new Error(`Could not find a scenario: ${unknown.join(', ')}\n\n${HELP}`)
  const plan = {
    ...(options.quick ? QUICK : FULL),
    ...(options.rounds ? { rounds: Number(options.rounds) } : {}),
  }
  buildLoad()
  if (options.profile) {
    const text = await profile(plan, options.only.includes('oscore') ? 'protected' : 'open')
    console.log(text)
    if (options.write) writeProfile(text, commandLine())
    return 0
  }
  if (!libcoapProgram)
    progress('ATTENTION: libcoap is not installed, its figures will be missing (Debian package libcoap3-bin)')
  const facts = machineFacts()
  if (!options.json) console.log(facts.join('\n'))
  const all: Findings[] = []
  for (const name of names) {
    const scenario = scenarios[name]
    if (!scenario) continue
    progress(`${name} ...`)
    const findings = await scenario(plan)
    all.push(findings)
    if (!options.json) console.log(`\n${describe(findings)}`)
  }
  if (options.json) console.log(JSON.stringify({ facts, plan, findings: all }, null, 2))
  if (options.write) writeBenchmarks({ facts, findings: all, command: commandLine() })
  const missed = all.flatMap((findings) => findings.goals).filter((goal) => !reached(goal))
  if (missed.length > 0) progress(`not reached: ${missed.map((goal) => goal.what).join('; ')}`)
  return 0
}

function commandLine(): string {
  const args = process.argv.slice(2).filter((argument) => argument !== '--write')
  return ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
}
