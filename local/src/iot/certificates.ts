import type { MakeArn } from './arn.ts'
import { AwsError, invalid, notFound } from './aws-error.ts'
import type { Authority } from './ca.ts'
import { cutPage, type PageRequest } from './paging.ts'
import type { Store } from './store.ts'

type Row = {
  id: string
  pem: string
  status: string
  created: number
  modified: number
  not_before: number
  not_after: number
}

/** What UpdateCertificate accepts of the states (AWS IoT API Reference, UpdateCertificate: newStatus). */
const STATUSES = ['ACTIVE', 'INACTIVE', 'REVOKED']
const CERTIFICATE_ID = /^[0-9a-f]{64}$/

export type Certificates = ReturnType<typeof createCertificates>

type Options = {
  store: Store
  authority: Authority
  arn: MakeArn
  now: () => number
  /** A certificate stopped being active: what is connected with it must go. */
  onInactive: (id: string) => void
}

/** Client certificates (AWS IoT API Reference: CreateKeysAndCertificate and its kin). Answers are API responses. */
export function createCertificates({ store, authority, arn, now, onInactive }: Options) {
  const { db } = store
  const select = db.prepare('SELECT * FROM certificates WHERE id = ?')
  const insert = db.prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?)')
  const list = db.prepare('SELECT * FROM certificates WHERE id > ? ORDER BY id LIMIT ?')
  const setStatus = db.prepare('UPDATE certificates SET status = ?, modified = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM certificates WHERE id = ?')
  const things = db.prepare('SELECT 1 FROM thing_principals WHERE principal = ? LIMIT 1')
  const policies = db.prepare('SELECT 1 FROM policy_targets WHERE target = ? LIMIT 1')
  const detachAll = db.prepare('DELETE FROM policy_targets WHERE target = ?')

  function get(id: string): Row {
    if (!CERTIFICATE_ID.test(id)) throw invalid(`Invalid certificate id: ${id}`)
    const row = select.get(id) as Row | undefined
    if (row === undefined) throw notFound(`The certificate given in the request does not exist: ${id}`)
    return row
  }

  return {
    async create(active: boolean) {
      const issued = await authority.issue()
      const at = now()
      const status = active ? 'ACTIVE' : 'INACTIVE'
      const { id, certificatePem, notBefore, notAfter } = issued
      store.change(() =>
        insert.run(id, certificatePem, status, at, at, notBefore.getTime(), notAfter.getTime()),
      )
      return {
        certificateArn: arn('cert', id),
        certificateId: id,
        certificatePem,
        keyPair: { PublicKey: issued.publicKeyPem, PrivateKey: issued.privateKeyPem },
      }
    },
    describe(id: string) {
      const row = get(id)
      return {
        certificateDescription: {
          ...summary(row, arn),
          certificatePem: row.pem,
          lastModifiedDate: row.modified / 1000,
          customerVersion: 1,
          validity: { notBefore: row.not_before / 1000, notAfter: row.not_after / 1000 },
        },
      }
    },
    list(request: PageRequest) {
      const rows = list.all(request.after, request.limit + 1) as Row[]
      const page = cutPage(rows, request, (row) => row.id)
      return {
        certificates: page.items.map((row) => summary(row, arn)),
        ...(page.next && { nextMarker: page.next }),
      }
    },
    update(id: string, status: string | null) {
      get(id)
      if (status === null || !STATUSES.includes(status))
        throw invalid(`Invalid certificate status: ${status}`)
      store.change(() => setStatus.run(status, now(), id))
      if (status !== 'ACTIVE') onInactive(id)
      return {}
    },
    /** @param force also when policies are attached */
    delete(id: string, force: boolean) {
      const { status } = get(id)
      const target = arn('cert', id)
      if (status === 'ACTIVE') {
        throw new AwsError(
          'CertificateStateException',
          `Certificate must be deactivated (not ACTIVE) before deletion. Id: ${id}`,
        )
      }
      if (things.get(target) !== undefined) {
        throw new AwsError(
          'DeleteConflictException',
          `Things must be detached before deletion (arn: ${target})`,
        )
      }
      if (!force && policies.get(target) !== undefined) {
        throw new AwsError(
          'DeleteConflictException',
          `Certificate policies must be detached before deletion (arn: ${target})`,
        )
      }
      store.change(() => {
        detachAll.run(target)
        remove.run(id)
      })
      return {}
    },
    isActive: (id: string) => (select.get(id) as Row | undefined)?.status === 'ACTIVE',
    /**
     * The ARN of a certificate that exists.
     * @throws AwsError when the text is no certificate's ARN, or there is none with it
     */
    requireArn(text: unknown): string {
      const [prefix = '', id = ''] = typeof text === 'string' ? text.split(':cert/') : []
      if (typeof text !== 'string' || !prefix.startsWith('arn:') || id === '') {
        throw invalid(`Not the ARN of a certificate: ${text}`)
      }
      return arn('cert', get(id).id)
    },
  }
}

function summary(row: Row, arn: MakeArn) {
  return {
    certificateArn: arn('cert', row.id),
    certificateId: row.id,
    status: row.status,
    certificateMode: 'DEFAULT',
    creationDate: row.created / 1000,
  }
}
