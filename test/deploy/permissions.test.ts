import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { missing } from '../fakes/needs.ts'
import { needStub, needTerraform, openWorkspace } from './terraform.ts'

t.setTimeout(180_000)

const ROOT = new URL('../..', import.meta.url).pathname
type Permissions = {
  processes: Record<string, string[]>
  surroundings: Record<string, string[]>
  unnameable: string[]
}
const { processes, surroundings, unnameable } = JSON.parse(
  readFileSync(join(ROOT, 'terraform/permissions.json'), 'utf8'),
) as Permissions

/** Sources of each process. */
const SOURCES: Record<string, string> = {
  gateway: 'gateway/src',
  web: 'web/server/src',
  bridge: 'bridge-lambda/src',
  setup: 'ops-lambda/src/setup',
  probe: 'ops-lambda/src/probe',
  forwarder: 'ops-lambda/src/forwarder',
}
/** The SDK's clients, and the name that IAM has for their service. */
const SERVICES: Record<string, string> = {
  'client-iot': 'iot',
  'client-iot-data-plane': 'iot',
  'client-s3': 's3',
  'client-sqs': 'sqs',
  'client-ssm': 'ssm',
}
/** Commands that are not permitted under their own name (Service Authorization Reference). */
const PERMITTED_AS: Record<string, string> = {
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:HeadObject': 's3:GetObject',
  's3:HeadBucket': 's3:ListBucket',
  's3:ListObjectsV2': 's3:ListBucket',
}

t.test('terraform/permissions.json lists the calls that the code makes, and no others', async (t) => {
  for (const [process, folder] of Object.entries(SOURCES))
    t.strictSame(processes[process], callsIn(folder), `${process}: ${folder}`)
})

/** IAM actions for the commands of the AWS SDK that a folder's sources import. */
function callsIn(folder: string): string[] {
  const actions = new Set<string>()
  for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    const text = readFileSync(join(ROOT, folder, file), 'utf8')
    for (const [, names, client] of text.matchAll(
      /\{([^{}]*)\}\s*(?:=\s*await\s+import\(|from\s+)'@aws-sdk\/([\w-]+)'/g,
    )) {
      const service = SERVICES[client!]
      for (const [, command] of names!.matchAll(/\b(\w+)Command\b/g)) add(`${service}:${command}`)
      for (const [, command] of names!.matchAll(/\bpaginate(\w+)\b/g)) add(`${service}:${command}`)
    }
    if (/s3-presigned-post/.test(text)) add('s3:PutObject')
  }
  return [...actions].sort()

  function add(call: string): void {
    actions.add(PERMITTED_AS[call] ?? call)
  }
}

type Statement = { Sid: string; Action: string | string[]; Resource: string | string[]; Condition?: unknown }
type Role = { readonly name: string; readonly statements: Statement[] }

const skip =
  missingTerraform() ||
  missing('packages of terraform/tests/stub (npm ci --prefix terraform/tests/stub)', needStub)

t.test('what Terraform grants is what the processes need', { skip, timeout: 170_000 }, async (t) => {
  const workspace = openWorkspace()
  t.teardown(workspace.close)
  const [first, second] = await Promise.all([
    workspace.run('stacks/pesebre', 'test', '-json', '-verbose'),
    workspace.run('stacks/second-region', 'test', '-json', '-verbose'),
  ])
  for (const { ok, text } of [first, second])
    t.ok(ok && /"status":"pass","passed":[1-9]/.test(text), summaryIn(text))
  const roles = [...rolesIn(first.text, 'everything'), ...rolesIn(second.text, 'one_gateway_away')]
  const { host, function: lambda, 'queue consumer': consumer, backups } = surroundings
  const expected: Record<string, string[][]> = {
    'stable-gateway-a': [processes['gateway']!, processes['web']!, host!],
    'stable-gateway-b': [processes['gateway']!, host!],
    'stable-gateway-c': [processes['gateway']!, host!],
    'stable-bridge': [processes['bridge']!, lambda!, consumer!],
    'stable-forwarder': [processes['forwarder']!, lambda!, consumer!],
    'stable-setup': [processes['setup']!, lambda!],
    'stable-probe': [processes['probe']!, lambda!],
    'stable-backups': [backups!],
  }
  t.strictSame(
    roles.map(({ name }) => name).sort(),
    Object.keys(expected).sort(),
    'a role for each, and no other',
  )
  for (const { name, statements } of roles) {
    const granted = [...new Set(statements.flatMap(({ Action }) => Action))].sort()
    const needed = [...new Set(expected[name]?.flat() ?? [])].sort()
    t.strictSame(granted, needed, `${name} may do what it needs`)
    for (const { Sid, Action, Resource } of statements) {
      t.notOk(
        [Action].flat().some((action) => action.includes('*')),
        `${name}, ${Sid}: no wildcard of actions`,
      )
      if ([Resource].flat().includes('*'))
        t.strictSame(
          [Action].flat().filter((action) => !unnameable.includes(action)),
          [],
          `${name}, ${Sid}: a resource is named wherever AWS lets one be`,
        )
    }
  }
  const resourcesOf = (role: string, action: string): string[] =>
    roles
      .filter(({ name }) => name === role)
      .flatMap(({ statements }) =>
        statements.filter((statement) => [statement.Action].flat().includes(action)),
      )
      .flatMap(({ Resource }) => Resource)
  t.equal(resourcesOf('stable-gateway-b', 'sqs:SendMessage').length, 1, 'its one queue')
  t.strictSame(resourcesOf('stable-gateway-b', 'iot:UpdateThingShadow'), [
    'arn:aws:iot:eu-west-1:123456789012:thing/pesebre-gateway-stable-b',
  ])
  t.strictSame(resourcesOf('stable-gateway-b', 's3:PutObject'), [
    'arn:aws:s3:::stable-123456789012/raw/gateway=stable-b/*',
  ])
})

/** What went wrong, where anything did. */
function summaryIn(text: string): string {
  const messages = text.split('\n').filter((line) => /"type":"(diagnostic|test_summary)"/.test(line))
  return messages.map((line) => (JSON.parse(line) as { '@message': string })['@message']).join('\n')
}

/** The roles of the state after a run, each with the statements of all of its policies. */
function rolesIn(output: string, run: string): Role[] {
  type Module = { resources?: { type: string; values: Record<string, string> }[]; child_modules?: Module[] }
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const found = events.find((event) => event['type'] === 'test_state' && event['@testrun'] === run)
  const state = found?.['test_state'] as { root_module: Module } | undefined
  if (state === undefined) throw new Error(`No state after ${run}:\n${output.slice(-2000)}`)
  const resources = resourcesOf(state.root_module)
  // The identity of a role is what the mock made up for it.
  const roles = resources.filter(({ type }) => type === 'aws_iam_role').map(({ values }) => values)
  return roles.map(({ id, name }) => ({
    name: name!,
    statements: resources
      .filter(
        ({ type, values }) =>
          type === 'aws_iam_role_policy' && (values['role'] === id || values['role'] === name),
      )
      .flatMap(({ values }) => (JSON.parse(values['policy']!) as { Statement: Statement[] }).Statement),
  }))

  function resourcesOf({
    resources = [],
    child_modules: children = [],
  }: Module): NonNullable<Module['resources']> {
    return [...resources, ...children.flatMap(resourcesOf)]
  }
}

function missingTerraform(): string | false {
  try {
    needTerraform()
    return false
  } catch {
    const reason = 'NOT RUN, this machine lacks: terraform'
    console.error(`\n*** ${reason} ***\n`)
    return reason
  }
}
