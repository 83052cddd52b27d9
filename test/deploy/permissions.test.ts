import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { arnsOf, covers, type Place, readPermissions, type Values } from './permissions.ts'
import { namesIn, type Plan, planAfter, type Role, rolesIn, type Statement, summaryIn } from './plan.ts'
import { openWorkspace, skipWithoutTerraform } from './terraform.ts'

t.setTimeout(180_000)

const { processes, exceptions, surroundings, unnameable } = readPermissions()

/** What a role is for. */
type Duty = {
  /** Processes of the list, and what `{...}` stands for there, where it is not what VALUES says. */
  readonly processes: Readonly<Record<string, Values>>
  /** What else acts in this role. */
  readonly surroundings: readonly string[]
  readonly place?: Place
}

const PLACE: Place = { account: '123456789012', region: 'eu-west-1', home: 'eu-west-1' }
const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:stable-reports'
const GATEWAYS = ['stable-a', 'stable-b']
/** What `{...}` of the list stands for. */
const VALUES: Values = {
  name: ['stable'],
  device: ['feeder-00c0ffee', 'waterer-00c0ffee', 'sensor-00c0ffee'],
  'device kind': ['feeder', 'waterer', 'sensor'],
  camera: ['camera-00c0ffee'],
  // terraform/stacks/pesebre/main.tf, probes.
  probe: GATEWAYS.map((id) => `test-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`),
  gateway: GATEWAYS,
  client: [...GATEWAYS.map((id) => `pesebre-gateway-${id}`), 'pesebre-web-stable'],
  certificate: ['1f'.repeat(32)],
  bucket: ['stable-123456789012'],
  object: ['x/y.z'],
  queue: [QUEUE],
  'dead letters': [`${QUEUE}-dlq`],
  open: [],
  'open kind': [],
  'database secret': [],
}
/** Devices without security, and MySQL. */
const MORE: Values = {
  ...VALUES,
  open: ['demo-luna'],
  'open kind': ['demo'],
  'database secret': ['arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-1'],
}

const HOST = ['host']
const CONSUMER = ['function', 'queue consumer']
const WEB: Values = { client: ['pesebre-web-stable'] }
const own = (id: string): Values => ({ gateway: [id], client: [`pesebre-gateway-${id}`] })
const CHAIN: Readonly<Record<string, Duty>> = {
  'stable-gateway-b': { processes: { gateway: own('stable-b') }, surroundings: HOST },
  'stable-bridge': { processes: { bridge: {} }, surroundings: CONSUMER },
  'stable-setup': { processes: { setup: {} }, surroundings: ['function'] },
  'stable-probe': { processes: { probe: {} }, surroundings: ['function'] },
  'stable-backups': { processes: {}, surroundings: ['backups'] },
}
const BESIDE: Readonly<Record<string, Duty>> = {
  ...CHAIN,
  'stable-gateway-a': { processes: { gateway: own('stable-a'), web: WEB }, surroundings: HOST },
}
const APART: Readonly<Record<string, Duty>> = {
  ...CHAIN,
  'stable-gateway-a': { processes: { gateway: own('stable-a') }, surroundings: HOST },
  'stable-web': { processes: { web: WEB }, surroundings: HOST },
}
const AWAY: Readonly<Record<string, Duty>> = {
  'stable-gateway-c': {
    processes: {
      gateway: { ...own('stable-c'), queue: ['arn:aws:sqs:eu-central-1:123456789012:stable-reports'] },
    },
    surroundings: HOST,
    place: { ...PLACE, region: 'eu-central-1' },
  },
  'stable-forwarder': { processes: { forwarder: {} }, surroundings: CONSUMER },
}

const skip = skipWithoutTerraform()

t.test('what Terraform grants is what the processes need', { skip, timeout: 170_000 }, async (t) => {
  const workspace = openWorkspace()
  t.teardown(workspace.close)
  const [first, second] = await Promise.all([
    workspace.run('stacks/pesebre', 'test', '-json', '-verbose'),
    workspace.run('stacks/second-region', 'test', '-json', '-verbose'),
  ])
  for (const { ok, text } of [first, second])
    t.ok(ok && /"status":"pass","passed":[1-9]/.test(text), summaryIn(text))
  const beside = planAfter(first.text, 'everything')
  const more = planAfter(first.text, 'with_everything_else')
  const away = planAfter(second.text, 'one_gateway_away')
  await t.test('the web server beside a gateway', (t) =>
    checkRoles(t, { plan: beside, duties: BESIDE, values: VALUES }),
  )
  await t.test('the web server on a host of its own, with all else', (t) =>
    checkRoles(t, { plan: more, duties: APART, values: MORE }),
  )
  await t.test('the second region', (t) => checkRoles(t, { plan: away, duties: AWAY, values: VALUES }))

  await t.test('two installations in one account share no name', async (t) => {
    const [ours, theirs] = [namesIn(beside), namesIn(planAfter(first.text, 'another_installation'))]
    t.ok(ours.length > 60, `${ours.length} names`)
    t.strictSame(
      ours.filter((name) => theirs.includes(name)),
      [],
    )
  })
  await t.test('docs/operations.md calls things by the names that they have', async (t) => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const names = new Set([beside, more, away].flatMap(namesIn).map((name) => name.split(' ')[1]))
    const told = [...page.matchAll(/\$name(-[a-z-]+[a-z])/g)].map(([, rest]) => `stable${rest}`)
    t.ok(told.length > 10, `${told.length} names`)
    for (const name of new Set(told))
      t.ok(
        names.has(name) || MADE_BY_HAND.includes(name),
        `${name} is there, or made by a command of the page`,
      )
    const addresses = [beside, more].flatMap(({ resources }) => resources.map(({ address }) => address))
    for (const [, address = ''] of page.matchAll(/'(module\.[^']+)'/g))
      t.ok(
        addresses.some((known) => known === address || known.startsWith(`${address}[`)),
        address,
      )
  })
  await t.test('the second region shares none of the names that are the same everywhere', async (t) => {
    const global = (name: string) => /^aws_(iam_\w+|cloudwatch_dashboard|s3_bucket) /.test(name)
    const ours = namesIn(beside).filter(global)
    t.ok(ours.length >= 8, `${ours.length} names`)
    t.strictSame(
      ours.filter((name) => namesIn(away).includes(name)),
      [],
    )
  })
})

/** While a database is restored; and what the alarms of a second region begin with. */
const MADE_BY_HAND = ['stable-web-restored', 'stable-web-before', 'stable-away']

async function checkRoles(
  t: Test,
  { plan, duties, values }: { plan: Plan; duties: Readonly<Record<string, Duty>>; values: Values },
): Promise<void> {
  const roles = rolesIn(plan)
  t.strictSame(
    roles.map(({ name }) => name).sort(),
    Object.keys(duties).sort(),
    'a role for each, and no other',
  )
  for (const role of roles) {
    const duty = duties[role.name]
    if (duty !== undefined) await t.test(role.name, async (t) => checkRole(t, { role, duty, values }))
  }
}

function checkRole(t: Test, { role, duty, values }: { role: Role; duty: Duty; values: Values }): void {
  const grants = role.policies.flatMap(({ name, statements }) =>
    statements.flatMap((one) => grantsOf(name, one)),
  )
  for (const { sid, action, resource } of grants) {
    t.notOk(action.includes('*'), `${sid}: no wildcard of actions`)
    if (resource === '*')
      t.ok(unnameable.includes(action), `${sid}: AWS lets no resource be named for ${action}`)
  }
  const around = duty.surroundings.flatMap((name) => surroundings[name]!)
  t.strictSame(
    [...new Set(grants.filter(({ isAround }) => isAround).map(({ action }) => action))].sort(),
    [...new Set(around)].sort(),
    duty.surroundings.join(', '),
  )
  const needed = neededBy(duty, values)
  const granted = grants.filter(({ isAround }) => !isAround)
  t.strictSame(
    needed
      .filter(({ action, arn }) => !granted.some((one) => one.action === action && covers(one.resource, arn)))
      .map(({ action, arn }) => `${action} ${arn}`),
    [],
    'everything that is called is granted',
  )
  t.strictSame(
    granted
      .filter((one) => !needed.some(({ action, arn }) => one.action === action && covers(one.resource, arn)))
      .map(({ action, resource }) => `${action} ${resource}`),
    [],
    'nothing is granted that nobody needs',
  )
}

type Grant = {
  readonly sid: string
  readonly action: string
  readonly resource: string
  /** For AWS Lambda or the host itself. */
  readonly isAround: boolean
}

function grantsOf(policy: string, { Sid, Action, Resource }: Statement): Grant[] {
  const isAround =
    policy === 'host' || policy === 'backups' || (/^(Logs|Queue)$/.test(Sid) && FUNCTIONS.has(policy))
  return [Action]
    .flat()
    .flatMap((action) =>
      [Resource].flat().map((resource) => ({ sid: `${policy}, ${Sid}`, action, resource, isAround })),
    )
}

/** Policies of functions are called as the functions are. */
const FUNCTIONS = new Set(['bridge', 'forwarder', 'probe', 'setup'])

/** What the processes of a role call, and what is excepted, as ARNs. */
function neededBy(
  { processes: own, place = PLACE }: Duty,
  values: Values,
): { action: string; arn: string }[] {
  return Object.entries(own).flatMap(([process, special]) => {
    const calls = Object.entries(processes[process]!).flatMap(([action, resources]) =>
      resources.map((resource) => ({ action, resource })),
    )
    const excepted = exceptions.filter((one) => one.process === process)
    return [...calls, ...excepted].flatMap(({ action, resource }) =>
      arnsOf(action, resource, { values: { ...values, ...special }, place }).map((arn) => ({ action, arn })),
    )
  })
}
