/** What `terraform test -json -verbose` says of the state after a run. */

type Values = Readonly<Record<string, unknown>>
type Resource = {
  readonly address: string
  readonly mode: 'managed' | 'data'
  readonly type: string
  readonly values: Values
}
type Module = { readonly resources?: Resource[]; readonly child_modules?: Module[] }

export type Plan = { readonly run: string; readonly resources: readonly Resource[] }
export type Statement = {
  readonly Sid: string
  readonly Action: string | string[]
  readonly Resource: string | string[]
}
export type Role = {
  readonly name: string
  readonly policies: readonly { readonly name: string; readonly statements: readonly Statement[] }[]
}

/** @throws Error with the end of the output when there is no such run in it */
export function planAfter(output: string, run: string): Plan {
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const found = events.find((event) => event['type'] === 'test_state' && event['@testrun'] === run)
  const state = found?.['test_state'] as { root_module: Module } | undefined
  if (state === undefined) throw new Error(`No state after ${run}:\n${output.slice(-2000)}`)
  return { run, resources: resourcesOf(state.root_module) }
}

function resourcesOf({ resources = [], child_modules: children = [] }: Module): Resource[] {
  return [...resources, ...children.flatMap(resourcesOf)]
}

/** What went wrong, where anything did. */
export function summaryIn(output: string): string {
  const messages = output.split('\n').filter((line) => /"type":"(diagnostic|test_summary)"/.test(line))
  return messages.map((line) => (JSON.parse(line) as { '@message': string })['@message']).join('\n')
}

/** The roles, each with all of its policies. */
export function rolesIn({ resources }: Plan): Role[] {
  const of = (wanted: string) => resources.filter(({ type }) => type === wanted).map(({ values }) => values)
  return of('aws_iam_role').map(({ id, name }) => ({
    name: name as string,
    policies: of('aws_iam_role_policy')
      // The identity of a role is what the mock made up for it.
      .filter(({ role }) => role === id || role === name)
      .map((values) => ({
        name: values['name'] as string,
        statements: (JSON.parse(values['policy'] as string) as { Statement: Statement[] }).Statement,
      })),
  }))
}

/** Attributes that name a resource within an account, or within a region of it. */
const NAMES = [
  'name',
  'function_name',
  'alarm_name',
  'dashboard_name',
  'identifier',
  'bucket',
  'association_name',
]
/** Their names are within another resource's, which is named itself; or within the VPC's. */
const INNER =
  /^aws_(iam_role_policy|glue_catalog_table|lambda_permission|lambda_event_source_mapping|s3_.+|route53_record|cloudfront_.+)$/

/** Everything by which two installations could meet: names of resources, metrics, things of probes. */
export function namesIn({ resources }: Plan): string[] {
  const names = resources.flatMap(({ mode, type, values }) => {
    if (mode === 'data') return []
    if (type === 'aws_cloudwatch_metric_alarm')
      return [
        `metric ${values['namespace']} ${values['metric_name']} ${JSON.stringify(values['dimensions'])}`,
        named(type, values),
      ]
    if (type === 'aws_lambda_invocation') {
      const { clients, probes } = JSON.parse(values['input'] as string) as Record<
        'clients' | 'probes',
        object
      >
      return [...Object.keys(clients), ...Object.values(probes)].map((thing) => `thing ${thing}`)
    }
    return INNER.test(type) && type !== 'aws_s3_bucket' ? [] : [named(type, values)]
  })
  return [...new Set(names.filter((name) => name !== undefined))].sort()
}

function named(type: string, values: Values): string | undefined {
  const name = NAMES.map((attribute) => values[attribute]).find((value) => typeof value === 'string')
  return name === undefined ? undefined : `${type} ${name}`
}
