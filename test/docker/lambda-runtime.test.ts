import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { startLambdaRuntimeApi } from '../fakes/lambda-runtime-api.ts'

type Test = { teardown(run: () => unknown): void }

const RUNTIME = new URL('../../docker/lambda/runtime.mjs', import.meta.url).pathname
const TRACE = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1'
/** Does what the event says. */
const HANDLER = `
class NotToday extends Error {
  name = 'Not\\ntoday'
}
exports.notAFunction = 1
exports.handler = async (event, context) => {
  if (event.throws === 'error') throw new NotToday('no hay')
  if (event.throws === 'value') throw { code: 7 }
  if (event.answers === 'nothing') return
  if (event.answers === 'no JSON') return 1n
  const { awsRequestId, invokedFunctionArn } = context
  return { event, awsRequestId, invokedFunctionArn, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID }
}`

/** A process of the runtime, whose working directory has handler.cjs and broken.cjs. */
function start(t: Test, api: string, ...args: string[]) {
  const cwd = mkdtempSync(join(tmpdir(), 'pesebre-lambda-'))
  writeFileSync(join(cwd, 'handler.cjs'), HANDLER)
  writeFileSync(join(cwd, 'broken.cjs'), `throw new RangeError('a setting is missing')`)
  const runtime = spawn(process.execPath, [RUNTIME, ...args], {
    cwd,
    env: { AWS_LAMBDA_RUNTIME_API: api },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => {
    runtime.kill('SIGKILL')
    rmSync(cwd, { recursive: true, force: true })
  })
  return { log: text(runtime.stdout), complaint: text(runtime.stderr), exit: once(runtime, 'exit') }
}

t.test(
  'the runtime: an invocation has its event, its id, its time and its trace, and no other’s',
  async (t) => {
    const api = await startLambdaRuntimeApi()
    t.teardown(() => api.close())
    start(t, api.address, 'handler.handler')
    const event = { Records: [{ body: 'Ñandú' }] }
    const first = await api.invoke(event, { 'lambda-runtime-trace-id': TRACE })
    t.match(first, {
      kind: 'response',
      body: {
        event,
        awsRequestId: '8476a536-1',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bridge',
        trace: TRACE,
      },
    })
    const { left } = first.body as { left: number }
    t.ok(left > 0 && left <= 5_000, `${left} ms of 5000 are left`)
    t.match(await api.invoke({}), { body: { awsRequestId: '8476a536-2', trace: '' } })
    t.match(await api.invoke({ answers: 'nothing' }), { kind: 'response', body: null })
  },
)

t.test(
  'the runtime: what an invocation throws is told as its error, and the next one is worked on',
  async (t) => {
    const api = await startLambdaRuntimeApi()
    t.teardown(() => api.close())
    start(t, api.address, 'handler.handler')
    t.match(await api.invoke({ throws: 'error' }), {
      kind: 'error',
      errorType: 'Not?today',
      body: {
        errorType: 'Not\ntoday',
        errorMessage: 'no hay',
        stackTrace: [/^Not$/, /^today: no hay$/, /^ +at .*handler\.cjs/],
      },
    })
    t.match(await api.invoke({ throws: 'value' }), {
      kind: 'error',
      errorType: 'Error',
      body: { errorMessage: '{ code: 7 }' },
    })
    t.match(await api.invoke({ answers: 'no JSON' }), { kind: 'error', errorType: 'TypeError' })
    t.match(await api.invoke({ a: 1 }), { kind: 'response', body: { event: { a: 1 } } })
  },
)

for (const [name, errorType, errorMessage] of [
  ['missing.handler', 'Error', /^Cannot find module .*\/missing\.cjs'/],
  ['handler.missing', 'Runtime.HandlerNotFound', /no function "missing" in .*\/handler\.cjs$/],
  ['handler.notAFunction', 'Runtime.HandlerNotFound', /no function "notAFunction"/],
  ['handler', 'Runtime.HandlerNotFound', /no function "" in/],
  ['broken.handler', 'RangeError', /^a setting is missing$/],
] as const)
  t.test(`the runtime: ${name} cannot be loaded: it is told and logged, and the process ends`, async (t) => {
    const api = await startLambdaRuntimeApi()
    t.teardown(() => api.close())
    const { log, exit } = start(t, api.address, name)
    t.match(await api.initError, { kind: 'error', errorType, body: { errorType, errorMessage } })
    t.strictSame(await exit, [1, null])
    t.match(JSON.parse(await log), { level: 50, name: 'runtime', what: 'init', errorType, errorMessage })
  })

t.test('the runtime: a Runtime API that refuses ends the process', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(500).end('container error')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { complaint, exit } = start(
    t,
    `127.0.0.1:${(server.address() as AddressInfo).port}`,
    'handler.handler',
  )
  t.strictSame(await exit, [1, null])
  t.match(await complaint, 'Call the Runtime API: GET invocation/next: 500 container error')
})
