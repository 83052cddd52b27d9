import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { readFleetKeys } from '../../../gateway/src/adapters/fleet-keys.ts'

t.test('readFleetKeys() reads a file, and warns when others may', async (t) => {
  const path = join(t.testdir(), 'keys.json')
  writeFileSync(path, '{}', { mode: 0o600 })
  t.strictSame(await readFleetKeys(path), { text: '{}' })
  chmodSync(path, 0o640)
  t.match(await readFleetKeys(path), { text: '{}', warning: /chmod 600/ })
  await t.rejects(readFleetKeys(`${path}x`), {
    message: /^Cannot read the fleet keys \(PESEBRE_FLEET_KEYS\): ENOENT/,
  })
})

t.test('readFleetKeys() reads a SecureString of the SSM Parameter Store, decrypted', async (t) => {
  const asked: unknown[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await textOf(request)) as { Name: string }
    asked.push([request.headers['x-amz-target'], body])
    const isThere = body.Name === '/pesebre/fleet'
    response.writeHead(isThere ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' })
    const { Name } = body
    response.end(
      JSON.stringify(isThere ? { Parameter: { Name, Value: '{"1":"k"}' } } : { __type: 'ParameterNotFound' }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const environment = {
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  const before = { ...process.env }
  Object.assign(process.env, environment)
  t.teardown(() => {
    for (const name of Object.keys(environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  t.strictSame(await readFleetKeys('ssm:/pesebre/fleet'), { text: '{"1":"k"}' })
  t.strictSame(asked, [['AmazonSSM.GetParameter', { Name: '/pesebre/fleet', WithDecryption: true }]])
  await t.rejects(readFleetKeys('ssm:/other'), {
    message: /^Cannot read the fleet keys \(PESEBRE_FLEET_KEYS\): ssm:\/other: ParameterNotFound/,
  })
})

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
