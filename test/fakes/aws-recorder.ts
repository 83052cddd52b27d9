import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One call as IAM sees it: who, which action, on what. The resource is an ARN from its sixth part on; `*` where IAM has none. */
export type Call = { readonly who: string; readonly action: string; readonly resource: string }

export type AwsRecorder = {
  /** What a process has to be told, so that its calls pass here under this name. */
  environment(who: string): Record<string, string>
  /** Every call so far, each once. */
  calls(): Call[]
  /** Parameters of the Systems Manager, which the local stack has no stand-in for, by `<region>:<name>`. */
  readonly parameters: Map<string, string>
  /** Where the stand-ins are: SQS and S3, and AWS IoT. */
  forwardTo(ports: { readonly aws: number; readonly iot: number }): void
  /** The next call of this action is refused, and recorded all the same. */
  refuseOnce(action: string): void
  close(): Promise<void>
}

/** Commands that are permitted under another name (Service Authorization Reference). */
const PERMITTED_AS: Readonly<Record<string, string>> = {
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:HeadObject': 's3:GetObject',
  's3:HeadBucket': 's3:ListBucket',
  's3:ListObjectsV2': 's3:ListBucket',
}

/**
 * Stands between processes and the local stand-ins for AWS, and writes down what they ask for. Who asks is told by the access key
 * of the signature: nothing in the product knows of it.
 */
export async function startAwsRecorder(): Promise<AwsRecorder> {
  let local = { aws: 0, iot: 0 }
  const seen = new Map<string, Call>()
  const parameters = new Map<string, string>()
  const refused = new Set<string>()
  const servers: Server[] = []

  async function listen(target: () => number, describe: Describe): Promise<string> {
    const server = createServer((incoming, outgoing) => {
      void (async () => {
        const body = await bodyOf(incoming)
        const who = accessKeyOf(incoming.headers, body)
        const calls = who === undefined ? [] : describe({ ...partsOf(incoming), body })
        for (const call of calls) {
          const action = PERMITTED_AS[call.action] ?? call.action
          seen.set(`${who} ${action} ${call.resource}`, { who: who!, action, resource: call.resource })
          if (!refused.delete(action)) continue
          outgoing
            .writeHead(400, { 'x-amzn-errortype': 'InvalidRequestException' })
            .end('{"message":"refused"}')
          return
        }
        if (calls[0]?.action.startsWith('ssm:')) {
          const asked = {
            action: calls[0].action,
            region: regionOf(incoming.headers),
            ...JSON.parse(body.toString()),
          }
          const { status, answer } = ssm(asked, parameters)
          outgoing
            .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
            .end(JSON.stringify(answer))
          return
        }
        const { method, url: path, headers } = incoming
        const forwarded = request({ host: '127.0.0.1', port: target(), method, path, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(outgoing)
        })
        forwarded.on('error', () => outgoing.destroy())
        forwarded.end(body)
      })().catch(() => outgoing.destroy())
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const aws = await listen(() => local.aws, describeAws)
  const iot = await listen(() => local.iot, describeIot)
  return {
    environment: (who) => ({
      AWS_ACCESS_KEY_ID: who,
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: aws,
      AWS_ENDPOINT_URL_S3: aws,
      AWS_ENDPOINT_URL_SSM: aws,
      AWS_ENDPOINT_URL_IOT: iot,
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot,
    }),
    calls: () => [...seen.values()],
    parameters,
    forwardTo(ports) {
      local = ports
    },
    refuseOnce: (action) => void refused.add(action),
    async close() {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

type Request = {
  readonly method: string
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}
/** A call asks IAM once, or, where it concerns several objects, once for each. */
type Describe = (request: Request) => Omit<Call, 'who'>[]

/** The access key of a signature (AWS Signature Version 4), in a header, or in a form that a browser sends. */
function accessKeyOf({ authorization }: IncomingHttpHeaders, body: Buffer): string | undefined {
  return (/Credential=([^/]+)\//.exec(authorization ?? '')?.[1] ?? fieldOf(body, 'X-Amz-Credential'))?.split(
    '/',
  )[0]
}

/** The region of a signature's scope. */
function regionOf({ authorization }: IncomingHttpHeaders): string {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(authorization ?? '')?.[1] ?? ''
}

/** A field of a multipart form (RFC 7578). */
function fieldOf(body: Buffer, name: string): string | undefined {
  return new RegExp(`name="${name}"\r\n\r\n([^\r]+)\r\n`, 'i').exec(body.toString('latin1', 0, 8192))?.[1]
}

function partsOf({ method = '', url = '/', headers }: IncomingMessage): Omit<Request, 'body'> {
  const { pathname, searchParams: query } = new URL(url, 'http://local')
  return { method, headers, query, path: pathname.split('/').slice(1).map(decodeURIComponent) }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

/** SQS and the Systems Manager name the action in a header, S3 by method, path and query. */
function describeAws(request: Request): Omit<Call, 'who'>[] {
  const [, service, action] = /^Amazon(SQS|SSM)\.(\w+)$/.exec(`${request.headers['x-amz-target']}`) ?? []
  if (service === 'SQS') {
    const { QueueUrl } = JSON.parse(request.body.toString()) as { QueueUrl: string }
    return [{ action: `sqs:${action}`, resource: QueueUrl.split('/').at(-1)! }]
  }
  if (service === 'SSM') {
    const { Name } = JSON.parse(request.body.toString()) as { Name: string }
    return [{ action: `ssm:${action}`, resource: `parameter${Name}` }]
  }
  return describeS3(request)
}

function describeS3({ method, path: [bucket = '', ...rest], query, body }: Request): Omit<Call, 'who'>[] {
  const key = rest.join('/')
  if (key === '' && method === 'HEAD') return [{ action: 's3:HeadBucket', resource: bucket }]
  if (key === '' && method === 'GET') return [{ action: 's3:ListObjectsV2', resource: bucket }]
  const posted = method === 'POST' ? fieldOf(body, 'key') : undefined
  if (posted !== undefined) return [{ action: 's3:PutObject', resource: `${bucket}/${posted}` }]
  if (key === '' && method === 'POST' && query.has('delete'))
    return [...body.toString().matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, one]) => ({
      action: 's3:DeleteObjects',
      resource: `${bucket}/${one}`,
    }))
  const action = { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject' }[method]
  if (key === '' || action === undefined) throw new Error(`Record a call of S3: ${method} /${bucket}/${key}`)
  return [{ action: `s3:${action}`, resource: `${bucket}/${key}` }]
}

/** Calls of AWS IoT (API Reference), and what IAM asks about for each (Service Authorization Reference). */
const IOT: readonly (readonly [string, RegExp, string, string])[] = [
  ['GET', /^things\/([^/]+)\/shadow$/, 'GetThingShadow', 'thing/$1'],
  ['POST', /^things\/([^/]+)\/shadow$/, 'UpdateThingShadow', 'thing/$1'],
  ['GET', /^things$/, 'ListThings', '*'],
  ['POST', /^things\/([^/]+)$/, 'CreateThing', 'thing/$1'],
  ['GET', /^things\/([^/]+)$/, 'DescribeThing', 'thing/$1'],
  ['POST', /^thing-types\/([^/]+)$/, 'CreateThingType', 'thingtype/$1'],
  ['POST', /^keys-and-certificate$/, 'CreateKeysAndCertificate', '*'],
  ['PUT', /^certificates\/([^/]+)$/, 'UpdateCertificate', 'cert/$1'],
  ['PUT', /^target-policies\/([^/]+)$/, 'AttachPolicy', 'cert/'],
  ['PUT', /^things\/([^/]+)\/principals$/, 'AttachThingPrincipal', '*'],
  ['DELETE', /^things\/([^/]+)\/principals$/, 'DetachThingPrincipal', '*'],
  ['GET', /^things\/([^/]+)\/principals$/, 'ListThingPrincipals', '*'],
]

function describeIot({ method, path }: Request): Omit<Call, 'who'>[] {
  const whole = path.join('/')
  for (const [verb, pattern, action, resource] of IOT)
    if (verb === method && pattern.test(whole))
      return [{ action: `iot:${action}`, resource: whole.replace(pattern, resource) }]
  throw new Error(`Record a call of AWS IoT: ${method} /${whole}`)
}

type Asked = {
  readonly action: string
  readonly region: string
  readonly Name: string
  readonly Value?: string
}

/** As much of the Parameter Store as is used: what is there is not overwritten. */
function ssm({ action, region, Name, Value = '' }: Asked, parameters: Map<string, string>) {
  const key = `${region}:${Name}`
  const known = parameters.get(key)
  if (action === 'ssm:PutParameter') {
    if (known !== undefined) return { status: 400, answer: { __type: 'ParameterAlreadyExists' } }
    parameters.set(key, Value)
    return { status: 200, answer: { Version: 1 } }
  }
  if (known === undefined) return { status: 400, answer: { __type: 'ParameterNotFound' } }
  return { status: 200, answer: { Parameter: { Name, Value: known } } }
}
