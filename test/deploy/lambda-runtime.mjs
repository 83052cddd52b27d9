/**
 * The part of AWS's Node runtime that a function meets: loads the handler that the image's CMD names, asks the Runtime API for
 * invocations, one after the other, and says what the handler answered.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`
const [, file, name] = /^(.+)\.(\w+)$/.exec(process.argv[2])
const path = `${process.env.LAMBDA_TASK_ROOT}/${file}`
const ending = ['', '.js', '.mjs', '.cjs'].find((one) => existsSync(path + one)) ?? ''
const { [name]: handler } = createRequire(import.meta.url)(path + ending)

for (;;) {
  const next = await fetch(`${api}/invocation/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() }
  const event = await next.json()
  const [kind, body] = await Promise.resolve(handler(event, context)).then(
    (answer) => ['response', answer],
    (error) => ['error', { errorType: error.name, errorMessage: error.message }],
  )
  await fetch(`${api}/invocation/${id}/${kind}`, { method: 'POST', body: JSON.stringify(body) })
}
