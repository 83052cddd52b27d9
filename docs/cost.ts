/**
 * What Pesebre costs on AWS, from list prices: `node docs/cost.ts` prints the tables of docs/cost.md, and a test keeps the two
 * the same. Dollars for a month of 730 hours, us-east-1, no free tier but where it is said.
 */

/** Prices, with when and where they were read. AWS's own pages render theirs by script, so these are dated readings of them. */
const PRICES = {
  sqsRequest: {
    dollars: 0.4e-6,
    unit: 'request of up to 64 kB, standard queue',
    read: '2026-03-14, cloudburn.io',
  },
  shadowOperation: {
    dollars: 1.25e-6,
    unit: 'shadow operation, per kB of the document',
    read: '2026-09-20, api-evangelist',
  },
  registryOperation: { dollars: 1.25e-6, unit: 'registry operation', read: '2026-09-20, api-evangelist' },
  connectionMinute: {
    dollars: 0.08e-6,
    unit: 'minute of an MQTT connection',
    read: '2026-09-20, api-evangelist',
  },
  rule: { dollars: 0.3e-6, unit: 'rule triggered, with its action', read: '2026-09-20, api-evangelist' },
  lambdaRequest: { dollars: 0.2e-6, unit: 'Lambda invocation', read: '2026-09-20, api-evangelist' },
  lambdaGbSecond: { dollars: 1.33334e-5, unit: 'Lambda GB-second, arm64', read: 'from memory, 2026-11' },
  firehoseGb: {
    dollars: 0.029,
    unit: 'Firehose, GB of records rounded up to 5 kB',
    read: '2026, second hand',
  },
  s3Gb: { dollars: 0.023, unit: 'S3 standard, GB-month', read: '2026, second hand' },
  s3Put: { dollars: 5e-6, unit: 'S3 PUT', read: 'from memory, 2026-11' },
  address: { dollars: 0.005, unit: 'public IPv4 address, hour', read: '2026-03, second hand' },
  diskGb: { dollars: 0.08, unit: 'gp3, GB-month', read: '2026-03, second hand' },
  egressGb: { dollars: 0.09, unit: 'GB out, after 100 GB', read: '2026-03, second hand' },
  metric: {
    dollars: 0.3,
    unit: 'custom metric, after 10 of the free tier that does not end',
    read: 'from memory, 2026-11',
  },
  alarm: {
    dollars: 0.1,
    unit: 'alarm, after 10 of the free tier that does not end',
    read: 'from memory, 2026-11',
  },
  nano: { dollars: 0.0042, unit: 't4g.nano, hour', read: '2026-06, second hand' },
  micro: { dollars: 0.0084, unit: 't4g.micro, hour', read: 'twice t4g.nano' },
  small: { dollars: 0.0168, unit: 't4g.small, hour', read: '2026-06, second hand' },
  medium: { dollars: 0.0336, unit: 't4g.medium, hour', read: 'from memory, 2026-11' },
} as const
type Price = keyof typeof PRICES

const HOURS = 730
const INTERVAL_S = 300
/** Two gateways; a batch goes out after half a second at most, or when it is 60 kB. */
const GATEWAYS = 2
const LINGER_S = 0.5
const BATCH_BYTES = 60_000
const REPORT_BYTES = 180
/** Of how many reports one is written to a shadow: changes, and once an hour (12 reports). */
const WRITTEN = 1 / 8
const ROOT_DISK_GB = 8

const dollars = (price: Price): number => PRICES[price].dollars

type Instance = 'nano' | 'micro' | 'small' | 'medium'
/** Each row of the table, and the instance that carries half of such a fleet. */
export const FLEETS: readonly { feeders: number; instance: Instance }[] = [
  { feeders: 50, instance: 'nano' },
  { feeders: 1_000, instance: 'nano' },
  { feeders: 10_000, instance: 'nano' },
  { feeders: 100_000, instance: 'small' },
  { feeders: 1_000_000, instance: 'medium' },
]

export type Bill = Readonly<Record<string, number>>

export function total(bill: Bill): number {
  return Object.values(bill).reduce((sum, part) => sum + part, 0)
}

function reportsOf(feeders: number): number {
  return (feeders * HOURS * 3600) / INTERVAL_S
}

/** A host with its address and its two disks. */
function host(instance: Instance, dataGb: number): number {
  return dollars(instance) * HOURS + dollars('address') * HOURS + (ROOT_DISK_GB + dataGb) * dollars('diskGb')
}

function egress(bytes: number): number {
  return Math.max(0, bytes / 1e9 - 100) * dollars('egressGb')
}

/** What the event source costs that polls an empty queue: five pollers, 20 s each. */
const IDLE_POLLS = (5 * HOURS * 3600) / 20

/** Pesebre: packed into SQS, shadows on change, archive by the gateway itself. */
export function pesebre(feeders: number, instance: Instance, gateways = GATEWAYS): Bill {
  const reports = reportsOf(feeders)
  const perBatch = Math.max(
    1,
    Math.min(BATCH_BYTES / REPORT_BYTES, (feeders / INTERVAL_S / gateways) * LINGER_S),
  )
  const batches = reports / perBatch
  const bytes = reports * 60
  return {
    hosts: gateways * host(instance, 8),
    'data out': egress(reports * 80),
    SQS: (batches * 3 + IDLE_POLLS) * dollars('sqsRequest'),
    Lambda:
      reports * (0.0005 + 0.00125 * WRITTEN) * 0.25 * dollars('lambdaGbSecond') +
      batches * dollars('lambdaRequest'),
    shadows: reports * WRITTEN * dollars('shadowOperation'),
    archive:
      (bytes / 1e9) * dollars('s3Gb') + gateways * HOURS * 60 * Math.min(1, feeders / 300) * dollars('s3Put'),
  }
}

/** One SQS message and one shadow write for each report: CoAP-for-AWS-IoT as it was described. */
export function naive(feeders: number, instance: Instance): Bill {
  const reports = reportsOf(feeders)
  return {
    hosts: GATEWAYS * host(instance, 0),
    'data out': egress(reports * 80),
    SQS: 2.1 * reports * dollars('sqsRequest'),
    Lambda: reports * 0.035 * 0.25 * dollars('lambdaGbSecond'),
    shadows: reports * dollars('shadowOperation'),
  }
}

/** Always connected over MQTT, each report a shadow update. */
export function mqtt(feeders: number): Bill {
  const reports = reportsOf(feeders)
  return {
    connections: feeders * HOURS * 60 * dollars('connectionMinute'),
    messages: messages(reports),
    shadows: reports * dollars('shadowOperation'),
  }
}

/** Always connected over MQTT, Basic Ingest to Firehose, shadows on change as Pesebre. */
export function mqttBasicIngest(feeders: number): Bill {
  const reports = reportsOf(feeders)
  return {
    connections: feeders * HOURS * 60 * dollars('connectionMinute'),
    rules: reports * dollars('rule'),
    Firehose: ((reports * 5e3) / 1e9) * dollars('firehoseGb'),
    messages: messages(reports * WRITTEN),
    shadows: reports * WRITTEN * dollars('shadowOperation'),
  }
}

/** AWS IoT's tiers for messages of up to 5 kB. */
function messages(count: number): number {
  const first = Math.min(count, 1e9)
  const next = Math.min(Math.max(count - 1e9, 0), 4e9)
  return first * 1e-6 + next * 0.8e-6 + Math.max(count - 5e9, 0) * 0.7e-6
}

/** terraform/examples/minimal: one t4g.micro with gateway and web app, 50 feeders, alarms, a probe, snapshots. */
export function minimal(): Bill {
  // Of the host 4, of the web server 3, of the bridge and of the probe 1 each.
  const metrics = 9 - 10
  // Of the chain 5, of the host 4, of the web server 3, of the probe 1.
  const alarms = 13 - 10
  const { hosts: _two, ...rest } = pesebre(50, 'micro', 1)
  return {
    host: host('micro', 8),
    ...rest,
    'snapshots of the disk, 4 GB': 4 * 0.05,
    'metrics of the host and the probe': Math.max(0, metrics) * dollars('metric'),
    alarms: Math.max(0, alarms) * dollars('alarm'),
    'probe, each minute':
      43_800 * (dollars('lambdaRequest') + 0.25 * 4 * dollars('lambdaGbSecond')) +
      43_800 * 4 * dollars('shadowOperation'),
    'metrics sent, each minute': 43_800 * 0.01e-3,
    'web server: shadows that somebody looks at': 50 * 720 * dollars('shadowOperation'),
  }
}

const money = (amount: number): string =>
  amount >= 100
    ? Math.round(amount).toLocaleString('en-US')
    : amount >= 10
      ? amount.toFixed(1)
      : amount.toFixed(2)

/** Everything that docs/cost.md takes from here. */
export function tables(): string {
  const rows = FLEETS.map(({ feeders, instance }) => {
    const own = pesebre(feeders, instance)
    const largest = Object.entries(own).reduce((most, part) => (part[1] > most[1] ? part : most))
    return `| ${feeders.toLocaleString('en-US')} | **${money(total(own))}** | ${money(total(naive(feeders, instance)))} | ${money(total(mqtt(feeders)))} | ${money(total(mqttBasicIngest(feeders)))} | ${largest[0]} ${Math.round((100 * largest[1]) / total(own))} % |`
  })
  const parts = Object.keys(pesebre(50, 'nano'))
  const breakdown = FLEETS.map(({ feeders, instance }) => {
    const own = pesebre(feeders, instance)
    return `| ${feeders.toLocaleString('en-US')} | 2 t4g.${instance} | ${parts.map((part) => money(own[part]!)).join(' | ')} |`
  })
  const small = Object.entries(minimal()).map(([part, amount]) => `| ${part} | ${money(amount)} |`)
  const prices = Object.values(PRICES).map(
    ({ dollars: each, unit, read }) =>
      `| ${unit} | ${each < 1e-3 ? `${Number((each * 1e6).toPrecision(6))} a million` : each} | ${read} |`,
  )
  return `### By fleet

| feeders | Pesebre | a message and a shadow write per report | MQTT, always on | MQTT, Basic Ingest, shadows on change | most of it |
|---|---|---|---|---|---|
${rows.join('\n')}

### What Pesebre's is made of

| feeders | hosts | ${parts.join(' | ')} |
|---|---|${parts.map(() => '---|').join('')}
${breakdown.join('\n')}

### The minimal example

| part | $ a month |
|---|---|
${small.join('\n')}
| **all** | **${money(total(minimal()))}** |

### Prices

| what | $ | read |
|---|---|---|
${prices.join('\n')}
`
}

if (import.meta.main) process.stdout.write(tables())
