import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  GetPolicyCommand,
  ListAttachedPoliciesCommand,
  ListCertificatesCommand,
  ListPoliciesCommand,
  ListPrincipalThingsCommand,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import t from 'tap'
import { refusal, startLocalIot } from './support.ts'

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
})

t.test(
  'CreateKeysAndCertificate: a certificate of the local authority, its id the digest of it',
  async (t) => {
    const { control, caFile } = await startLocalIot(t)
    const created = await control.send(new CreateKeysAndCertificateCommand({ setAsActive: true }))
    const certificate = new X509Certificate(created.certificatePem ?? '')
    t.ok(certificate.verify(new X509Certificate(readFileSync(caFile)).publicKey))
    t.equal(certificate.fingerprint256.replaceAll(':', '').toLowerCase(), created.certificateId)
    t.match(created.certificateArn, /^arn:aws:iot:us-east-1:\d{12}:cert\/[0-9a-f]{64}$/)
    t.match(created.keyPair, {
      PrivateKey: /^-----BEGIN PRIVATE KEY-----/,
      PublicKey: /^-----BEGIN PUBLIC KEY-----/,
    })

    const { certificateId = '' } = created
    const { certificateDescription } = await control.send(new DescribeCertificateCommand({ certificateId }))
    t.match(certificateDescription, {
      certificateId,
      certificateArn: created.certificateArn,
      certificatePem: created.certificatePem,
      status: 'ACTIVE',
      creationDate: Date,
      validity: { notBefore: Date, notAfter: new Date('2049-12-31T23:59:59Z') },
    })
  },
)

t.test('certificates: status, listing, and deletion only of what is inactive and detached', async (t) => {
  const { control } = await startLocalIot(t)
  const { certificateId = '', certificateArn = '' } = await control.send(
    new CreateKeysAndCertificateCommand({ setAsActive: true }),
  )
  await control.send(new CreateKeysAndCertificateCommand({}))
  const { certificates = [] } = await control.send(new ListCertificatesCommand({}))
  t.same(certificates.map(({ status }) => status).sort(), ['ACTIVE', 'INACTIVE'])
  const first = await control.send(new ListCertificatesCommand({ pageSize: 1 }))
  const second = await control.send(new ListCertificatesCommand({ pageSize: 1, marker: first.nextMarker }))
  t.not(first.certificates?.[0]?.certificateId, second.certificates?.[0]?.certificateId)
  t.equal(second.nextMarker, undefined)

  await control.send(new CreateThingCommand({ thingName: 'bella' }))
  await control.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: POLICY }))
  await control.send(new AttachThingPrincipalCommand({ thingName: 'bella', principal: certificateArn }))
  await control.send(new AttachPolicyCommand({ policyName: 'all', target: certificateArn }))
  const remove = (forceDelete = false) =>
    refusal(control.send(new DeleteCertificateCommand({ certificateId, forceDelete })))
  t.match(await remove(), ['CertificateStateException', 406])
  await control.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }))
  t.match(await remove(), ['DeleteConflictException', 409, /Things must be detached/])
  t.match(await refusal(control.send(new DeleteThingCommand({ thingName: 'bella' }))), [
    'InvalidRequestException',
    400,
    /still attached/,
  ])
  await control.send(new DetachThingPrincipalCommand({ thingName: 'bella', principal: certificateArn }))
  t.match(await remove(), ['DeleteConflictException', 409, /policies must be detached/])
  t.equal(await remove(true), 'passed')
  t.match(await remove(), ['ResourceNotFoundException', 404])
  t.match(
    await refusal(
      control.send(
        new UpdateCertificateCommand({
          certificateId: certificateId.replace(/./g, 'a'),
          newStatus: 'ACTIVE',
        }),
      ),
    ),
    ['ResourceNotFoundException', 404],
  )
})

t.test('policies: created once, read, listed, deleted when nothing has them', async (t) => {
  const { control } = await startLocalIot(t)
  const create = (policyName: string, policyDocument = POLICY) =>
    control.send(new CreatePolicyCommand({ policyName, policyDocument }))
  t.match(await create('all'), {
    policyName: 'all',
    policyArn: /policy\/all$/,
    policyDocument: POLICY,
    policyVersionId: '1',
  })
  t.match(await refusal(create('all')), ['ResourceAlreadyExistsException', 409])
  t.match(await refusal(create('bad', '{}')), ['MalformedPolicyException', 400])
  const long = JSON.stringify({
    Statement: { Effect: 'Allow', Action: 'iot:*', Resource: `arn:${'x'.repeat(2048)}` },
  })
  t.match(await refusal(create('long', long)), ['MalformedPolicyException', 400])
  t.match(await control.send(new GetPolicyCommand({ policyName: 'all' })), {
    policyDocument: POLICY,
    defaultVersionId: '1',
    creationDate: Date,
  })
  await create('other')
  const { policies = [] } = await control.send(new ListPoliciesCommand({}))
  t.same(
    policies.map(({ policyName }) => policyName),
    ['all', 'other'],
  )

  const { certificateArn = '' } = await control.send(new CreateKeysAndCertificateCommand({}))
  await control.send(new AttachPolicyCommand({ policyName: 'all', target: certificateArn }))
  const remove = () => refusal(control.send(new DeletePolicyCommand({ policyName: 'all' })))
  t.match(await remove(), ['DeleteConflictException', 409])
  await control.send(new DetachPolicyCommand({ policyName: 'all', target: certificateArn }))
  t.equal(await remove(), 'passed')
  t.match(await remove(), ['ResourceNotFoundException', 404])
  t.match(await refusal(control.send(new GetPolicyCommand({ policyName: 'all' }))), [
    'ResourceNotFoundException',
  ])
})

t.test('attachments: both ends list each other, repeated attaching changes nothing', async (t) => {
  const { control } = await startLocalIot(t)
  const { certificateArn = '' } = await control.send(new CreateKeysAndCertificateCommand({}))
  const principal = certificateArn
  for (const thingName of ['a', 'b']) {
    await control.send(new CreateThingCommand({ thingName }))
    await control.send(new AttachThingPrincipalCommand({ thingName, principal }))
    await control.send(new AttachThingPrincipalCommand({ thingName, principal }))
  }
  for (let number = 0; number < 10; number++) {
    const policyName = `policy-${number}`
    await control.send(new CreatePolicyCommand({ policyName, policyDocument: POLICY }))
    await control.send(new AttachPolicyCommand({ policyName, target: principal }))
    await control.send(new AttachPolicyCommand({ policyName, target: principal }))
  }
  t.match(await control.send(new ListThingPrincipalsCommand({ thingName: 'a' })), { principals: [principal] })
  t.match(await control.send(new ListPrincipalThingsCommand({ principal })), { things: ['a', 'b'] })
  t.match(await control.send(new ListTargetsForPolicyCommand({ policyName: 'policy-3' })), {
    targets: [principal],
  })
  const page = await control.send(new ListAttachedPoliciesCommand({ target: principal, pageSize: 4 }))
  t.same(
    page.policies?.map(({ policyName }) => policyName),
    ['policy-0', 'policy-1', 'policy-2', 'policy-3'],
  )
  t.ok(page.nextMarker)

  await control.send(new CreatePolicyCommand({ policyName: 'one-more', policyDocument: POLICY }))
  t.match(
    await refusal(control.send(new AttachPolicyCommand({ policyName: 'one-more', target: principal }))),
    ['LimitExceededException', 410],
  )
  const missing = certificateArn.replace(/[0-9a-f]{64}$/, 'a'.repeat(64))
  t.match(await refusal(control.send(new AttachPolicyCommand({ policyName: 'one-more', target: missing }))), [
    'ResourceNotFoundException',
    404,
  ])
  t.match(
    await refusal(control.send(new AttachPolicyCommand({ policyName: 'one-more', target: 'nonsense' }))),
    ['InvalidRequestException', 400],
  )
  t.match(await refusal(control.send(new AttachThingPrincipalCommand({ thingName: 'nobody', principal }))), [
    'ResourceNotFoundException',
    404,
  ])
})
