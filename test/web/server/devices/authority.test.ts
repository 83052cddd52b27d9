import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import t from 'tap'
import { readAuthority } from '../../../../web/server/src/devices/authority.ts'

const [one, two] = rootCertificates as [string, string]
const subject = (pem: string) => new X509Certificate(pem).subject

t.test('readAuthority() gives what we verify AWS IoT by ourselves', async (t) => {
  const dir = t.testdir({ 'ca.pem': `text before\n${one}\n${two}` })
  t.equal(await readAuthority(`${dir}/ca.pem`), `${one}\n${two}\n`)
})

t.test(
  'readAuthority() gives Amazon’s root where there is none, or the list of all that the system trusts',
  async (t) => {
    t.match(subject(await readAuthority(undefined)), /CN=Amazon Root CA 1$/)
    const dir = t.testdir({ 'all.pem': rootCertificates.join('\n') })
    const found = await readAuthority(`${dir}/all.pem`)
    t.match(subject(found), /CN=Amazon Root CA 1$/)
    t.equal(found.match(/BEGIN/g)?.length, 1)
  },
)
