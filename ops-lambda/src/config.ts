/** Settings of the functions. Region and credentials are the AWS SDK's own settings. */

export type Environment = Readonly<Record<string, string | undefined>>

/** Of the forwarder: the first region, and its queue of reports. */
export type ForwarderConfig = { readonly queueUrl: string; readonly region: string }

/** Of the probe: where its keys and shadows are. */
export type ProbeConfig = {
  /** Parameter with the identities of the probes. */
  readonly parameter: string
  readonly region: string
  readonly iotEndpoint: string
  /** Name of the installation, in the metrics. */
  readonly installation: string
}

/** Of the setup: the path that all parameters begin with, and the region. */
export type SetupConfig = { readonly path: string; readonly region: string }

const REGION = { pattern: /^[a-z]{2}(-[a-z]+)+-\d$/, allowed: 'a region, as in eu-west-1' }
const PATH = { pattern: /^\/[\w./-]+$/, allowed: 'the path of a parameter' }

/** Throws one Error that lists every problem: the setting, what was given, what is allowed. */
export function readForwarderConfig(env: Environment): ForwarderConfig {
  return reading(env, (text) => ({
    queueUrl: text('PESEBRE_HOME_QUEUE_URL', {
      pattern: /^https?:\/\/\S+\/\S+$/,
      allowed: 'the URL of an SQS queue',
    }),
    region: text('PESEBRE_HOME_REGION', REGION),
  }))
}

/** Throws as readForwarderConfig does. */
export function readProbeConfig(env: Environment): ProbeConfig {
  return reading(env, (text) => ({
    parameter: text('PESEBRE_PROBE_PARAMETER', PATH),
    region: text('PESEBRE_HOME_REGION', REGION),
    iotEndpoint: text('PESEBRE_IOT_ENDPOINT', {
      pattern: /^https?:\/\/\S+$/,
      allowed: 'the data endpoint of AWS IoT',
    }),
    installation: text('PESEBRE_INSTALLATION', {
      pattern: /^[a-z0-9-]+$/,
      allowed: 'the name of the installation',
    }),
  }))
}

/** Throws as readForwarderConfig does. */
export function readSetupConfig(env: Environment): SetupConfig {
  return reading(env, (text) => ({
    path: text('PESEBRE_PARAMETERS', PATH),
    region: text('AWS_REGION', REGION),
  }))
}

type Rule = { readonly pattern: RegExp; readonly allowed: string }

function reading<T>(env: Environment, read: (text: (name: string, rule: Rule) => string) => T): T {
  const problems: string[] = []
  const config = read((name, { pattern, allowed }) => {
    const given = env[name]?.trim() ?? ''
    if (!pattern.test(given))
      problems.push(`${name} is ${given ? JSON.stringify(given) : 'missing'}: allowed is ${allowed}`)
    return given
  })
  if (problems.length > 0)
    throw new Error(`Read settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  return config
}
