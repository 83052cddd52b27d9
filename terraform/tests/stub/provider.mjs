/**
 * Stands in for the AWS provider while `terraform validate` and `terraform test` run: it knows the schema (schema.mjs) and
 * nothing else; `mock_provider` does the rest. Terraform starts it as a plugin (go-plugin: gRPC on the loopback, one line on
 * standard output that says where, with the certificate to trust). STUB_SCHEMA: file with the schema.
 */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

/** Should Terraform die without a word, this process ends by itself. */
const LIFE_MAX_MS = 300_000

const schema = JSON.parse(readFileSync(process.env['STUB_SCHEMA'], 'utf8'))
const load = (file) =>
  grpc.loadPackageDefinition(
    loader.loadSync(join(import.meta.dirname, file), {
      keepCase: false,
      enums: String,
      longs: Number,
      defaults: true,
    }),
  )
const always =
  (answer = {}) =>
  (_call, reply) =>
    reply(null, answer)

const server = new grpc.Server({ 'grpc.max_send_message_length': -1 })
server.addService(load('provider.proto').tfplugin5.Provider.service, {
  GetSchema: always({
    provider: message(providerBlock(schema.provider)),
    resourceSchemas: messages(schema.resources),
    dataSourceSchemas: messages(schema.data),
    diagnostics: [],
  }),
  PrepareProviderConfig: (call, reply) =>
    reply(null, { preparedConfig: call.request.config, diagnostics: [] }),
  ValidateResourceTypeConfig: always({ diagnostics: [] }),
  ValidateDataSourceConfig: always({ diagnostics: [] }),
  Configure: always({ diagnostics: [] }),
  Stop: always(),
})
server.addService(load('controller.proto').plugin.GRPCController.service, {
  Shutdown: (_call, reply) => {
    reply(null, {})
    setTimeout(() => process.exit(0), 20)
  },
})
const { key, certificate } = makeCertificate()
const credentials = grpc.ServerCredentials.createSsl(
  null,
  [{ private_key: key, cert_chain: certificate }],
  false,
)
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error
  const der = new X509Certificate(certificate).raw.toString('base64').replace(/=+$/, '')
  process.stdout.write(`1|5|tcp|127.0.0.1:${port}|grpc|${der}\n`)
})
process.on('SIGINT', () => {})
setTimeout(() => process.exit(1), LIFE_MAX_MS).unref()

function messages(types) {
  return Object.fromEntries(Object.entries(types).map(([name, block]) => [name, message(block)]))
}

function message(block) {
  return { version: 0, block: blockMessage(block) }
}

function blockMessage({ attributes, blocks }) {
  return {
    version: 0,
    attributes: Object.entries(attributes).map(([name, { type, required, optional, computed }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: !!required,
      optional: !!optional,
      computed: !!computed,
    })),
    blockTypes: Object.entries(blocks).map(([typeName, { block, ...nesting }]) => ({
      typeName,
      ...nesting,
      block: blockMessage(block),
    })),
  }
}

/** A provider computes nothing in its own configuration, and `alias` is Terraform's. */
function providerBlock({ attributes, blocks }) {
  const { id: _id, alias: _alias, ...own } = attributes
  return {
    attributes: Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, { ...value, computed: false }]),
    ),
    blocks: Object.fromEntries(
      Object.entries(blocks).map(([name, value]) => [name, { ...value, block: providerBlock(value.block) }]),
    ),
  }
}

function makeCertificate() {
  const directory = mkdtempSync(join(tmpdir(), 'terraform-stub-'))
  const keyFile = join(directory, 'key.pem')
  const certificateFile = join(directory, 'certificate.pem')
  const extensions = [
    'subjectAltName=DNS:localhost',
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=digitalSignature,keyEncipherment,keyAgreement,keyCertSign',
  ]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-keyout', keyFile, '-out', certificateFile, '-subj', '/CN=localhost/O=HashiCorp'],
      ...extensions.flatMap((extension) => ['-addext', extension]),
    ],
    { stdio: 'ignore' },
  )
  const made = { key: readFileSync(keyFile), certificate: readFileSync(certificateFile) }
  rmSync(directory, { recursive: true })
  return made
}
