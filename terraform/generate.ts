/**
 * Makes what terraform/ repeats of the sources: the policies of MQTT clients, the columns of the archive, and a README for each
 * module. `node terraform/generate.ts` writes them; a test fails when they are behind.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ARCHIVE_COLUMNS } from '@pesebre/contract/archive'
import { POLICIES, type PolicyKind, policyDocument } from '@pesebre/contract/policies'

const HERE = import.meta.dirname

/** Where terraform/ writes the region. */
const REGION = 'REGION'
/** Types of columns as Athena names them. */
const ATHENA = {
  text: 'string',
  int32: 'int',
  int64: 'bigint',
  time: 'timestamp',
  boolean: 'boolean',
} as const
/** What each module is for, one line. */
const PURPOSES: Readonly<Record<string, string>> = {
  addresses:
    'The addresses of the gateways, which firmware knows for ever: nothing that Terraform does takes them away.',
  alarms:
    'What wakes the operator, and a dashboard. `docs/operations.md` says under the name of each alarm what to do.',
  archive:
    'One bucket for raw reports, pictures and backups, its life cycle, and a table of Athena over the reports in Parquet.',
  bridge: 'The Lambda function that carries reports from the queue into shadows.',
  database: 'MySQL for the web server, where SQLite on its disk is not enough.',
  gateway: 'One gateway: its host, its settings, and what it may do.',
  host: 'An EC2 instance in a group of one: it takes its address and its disk with it, and runs services under systemd.',
  identity: 'A user pool of Cognito that people sign in with.',
  keys: 'Secrets, made by a function inside the account: none is in a plan, a state, or user data.',
  lambda:
    'A Lambda function under the name of the installation, with its logs, and a role that may only what is named.',
  network: 'A VPC with public subnets only, and who may reach what.',
  probe:
    'A device from outside: a scheduled Lambda function in another region, with an alarm for each gateway.',
  queue: 'The queue of reports and its dead-letter queue.',
  rollout: 'How hosts take what is new: one after the other, up to the first that fails.',
  'second-region':
    'Gateways in another region, whose reports are moved home as they are. They hand out no commands.',
  things:
    'Thing types, policies of MQTT clients by kind, things of the gateways, and the endpoint of AWS IoT.',
  web: 'The web server: its settings, what it may do, and CloudFront before it.',
}

/** Path within terraform/ -> content, of everything that is made here. */
export function generated(): Map<string, string> {
  const files = new Map<string, string>()
  const kinds = Object.keys(POLICIES) as PolicyKind[]
  const policies = Object.fromEntries(kinds.map((kind) => [kind, policyDocument(kind, REGION)]))
  files.set('modules/things/policies.json', json(policies))
  const columns = ARCHIVE_COLUMNS.map(({ name, type }) => ({ name, type: ATHENA[type] }))
  files.set('modules/archive/columns.json', json(columns))
  for (const module of readdirSync(join(HERE, 'modules')).sort())
    files.set(`modules/${module}/README.md`, readme(module))
  return files
}

function readme(module: string): string {
  const read = (file: string): string => {
    const path = join(HERE, 'modules', module, file)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
  const purpose = PURPOSES[module]
  if (purpose === undefined)
    throw new Error(`Make a README: no purpose is written down for the module: ${module}`)
  const variables = blocks(read('variables.tf'), 'variable').map(
    ({ name, body }) =>
      `| \`${name}\` | ${cell(attribute(body, 'description'))} | ${code(attribute(body, 'type'))} | ${code(attribute(body, 'default')) || '*required*'} |`,
  )
  const outputs = blocks(read('outputs.tf'), 'output').map(
    ({ name, body }) => `| \`${name}\` | ${cell(attribute(body, 'description'))} |`,
  )
  return `# ${module}

${purpose}

Made by \`node terraform/generate.ts\`.

| variable | what | type | default |
|---|---|---|---|
${variables.join('\n')}

| output | what |
|---|---|
${outputs.join('\n')}
`
}

export type Block = { readonly name: string; readonly body: string }

/** The blocks of one kind in a file that `terraform fmt` has laid out: they begin and end at the left margin. */
export function blocks(text: string, kind: string): Block[] {
  return [...text.matchAll(new RegExp(`^${kind} "([^"]+)" \\{\\n([\\s\\S]*?)^\\}`, 'gm'))].map((found) => ({
    name: found[1]!,
    body: found[2]!,
  }))
}

/** An argument of a block, as it is written; several lines become one. Empty when it is not there. */
export function attribute(body: string, name: string): string {
  const found = new RegExp(`^  ${name}\\s*= ([\\s\\S]*?)(?=\\n  \\S|\\n$)`, 'm').exec(`${body}\n`)
  return (found?.[1] ?? '').replace(/\n\s*/g, ' ').trim()
}

function cell(text: string): string {
  return text.replace(/^"|"$/g, '').replaceAll('\\"', '"').replaceAll('|', '\\|')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

if (import.meta.main) {
  for (const [path, content] of generated()) writeFileSync(join(HERE, path), content)
}
