/**
 * The runtime interface client of our images for AWS Lambda: loads a handler, asks the Runtime API for invocations, one after the
 * other, and tells what came of each. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 *   node runtime.mjs <bundle>.<function>   `handler.handler` is `handler` of handler.cjs in the working directory
 * Handlers are asynchronous, with event and context, as in AWS's runtime for Node 24. What goes wrong beside them ends the process
 * with exit code 1; Lambda then starts another.
 *
 * Why not AWS's own aws-lambda-ric: its install scripts unpack and compile curl and a C++ client of this API, so that an image
 * needs cmake and a compiler of its own platform, and so emulation, for a binary beside Node's HTTP.
 */
import { once } from 'node:events'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`

let handler
try {
  handler = load(process.argv[2] ?? '')
} catch (error) {
  await fail('init', error)
  process.exit(1)
}

for (;;) {
  const { headers, body } = await call('GET', 'invocation/next')
  const id = headers['lambda-runtime-aws-request-id']
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  // The SDK hands it on with its calls; that of another invocation would tell a wrong story.
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? ''
  const context = {
    awsRequestId: id,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
  let answer
  try {
    answer = JSON.stringify((await handler(JSON.parse(body), context)) ?? null)
  } catch (error) {
    await fail(`invocation/${id}`, error)
    continue
  }
  await call('POST', `invocation/${id}/response`, answer)
}

/** The function that `name` names. Throws what stops its file from being loaded. */
function load(name) {
  const [, bundle = name, key = ''] = /^(.+)\.(\w+)$/.exec(name) ?? []
  const file = resolve(`${bundle}.cjs`)
  const found = createRequire(import.meta.url)(file)[key]
  if (typeof found === 'function') return found
  const error = new Error(`Load the handler: no function "${key}" in ${file}`)
  error.name = 'Runtime.HandlerNotFound'
  throw error
}

/** Tells Lambda what was thrown in `what`, and the log, where Lambda does not write it. */
async function fail(what, thrown) {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(inspect(thrown))
  const error = { errorType: `${name}`, errorMessage: message, stackTrace: `${stack}`.split('\n') }
  const line = { level: 50, time: Date.now(), name: 'runtime', what, ...error, msg: 'The function failed' }
  console.log(JSON.stringify(line))
  await call('POST', `${what}/error`, JSON.stringify(error), {
    // Somebody else's text, and a header.
    'lambda-runtime-function-error-type': error.errorType.replace(/[^\x20-\x7e]/g, '?'),
  })
}

/** Throws an Error that names the call if it is not answered with success. */
async function call(method, path, content = '', headers = {}) {
  // No timeout: Lambda freezes the process while it waits for an invocation. No agent: a connection that was kept may have died by then.
  const outgoing = request(`${API}/${path}`, { method, headers, agent: false }).end(content)
  const [incoming] = await once(outgoing, 'response')
  const body = await text(incoming)
  const { statusCode } = incoming
  if (statusCode !== 200 && statusCode !== 202)
    throw new Error(`Call the Runtime API: ${method} ${path}: ${statusCode} ${body}`)
  return { headers: incoming.headers, body }
}
