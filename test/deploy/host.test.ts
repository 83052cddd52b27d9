import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const SCRIPT = new URL('../../terraform/modules/host/pesebre-host', import.meta.url).pathname

/**
 * A host without AWS: every program that the script calls is a small one of ours, which writes down how it was called. Parameters
 * are files; `sick` is a release that does not start.
 */
function openHost(t: { teardown(run: () => void): void }, { hasDisk = true } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'pesebre-host-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const bin = join(root, 'fakes')
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, mode)
  }
  const fake = (name: string, body: string): void =>
    write(join(bin, name), `#!/bin/bash\necho "${name} $*" >> '${root}/calls'\n${body}\n`, 0o755)
  fake(
    'aws',
    `case "$1 $2" in
      'ssm get-parameter') while [[ $1 != --name ]]; do shift; done; cat '${root}/parameters'"$2" 2>/dev/null || exit 255 ;;
      's3 cp') for last; do :; done; for from; do if [[ $from == s3://* ]]; then cp '${root}/bucket/'"\${from##*/}" "$last"; fi; done ;;
      'secretsmanager get-secret-value') echo '{"username":"pesebre","password":"a/b@c"}' ;;
      'ec2 attach-volume') mkdir -p '${root}/dev/disk/by-id' && touch '${root}/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc' ;;
    esac`,
  )
  // A sick release does not come up: systemd says so after TimeoutStartSec.
  fake(
    'systemctl',
    `[[ $1 != restart ]] || ! grep -q sick '${root}/opt/pesebre/gateway/current/dist/main.js'`,
  )
  fake('curl', '[[ $* == *meta-data/instance-id* ]] && echo i-1; exit 0')
  fake('mountpoint', `[[ -e '${root}/mounted' ]]`)
  fake('mount', `touch '${root}/mounted'`)
  if (hasDisk) write(join(root, 'mounted'), '')
  fake('blkid', 'exit 2')
  for (const name of ['mkfs.ext4', 'useradd', 'chown', 'sleep']) fake(name, '')
  fake('id', 'exit 1')
  fake('install', 'for last; do :; done; mkdir -p "$last"')
  write(
    join(root, 'etc/pesebre/host'),
    'HOST=s-gateway-a\nREGION=eu-west-1\nSETTINGS=/s/hosts/gateway-a\nSERVICES="gateway"\nALLOCATION=eipalloc-1\nVOLUME=vol-0abc\n',
  )
  const parameter = (name: string, value: string): void => write(join(root, 'parameters', name), `${value}\n`)
  parameter('/s/hosts/gateway-a/gateway/environment', 'PESEBRE_GATEWAY_ID=s-a')
  parameter(
    '/s/hosts/gateway-a/gateway/secrets',
    '# file parameter\nmqtt pem:/s/mqtt/a\nsetup-token env:TOKEN:/s/token\ndatabase secret:arn:1 db:3306/p',
  )
  parameter(
    '/s/mqtt/a',
    '-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nK\n-----END RSA PRIVATE KEY-----',
  )
  parameter('/s/token', 'once')

  /** Puts a release into the bucket, and its name into the parameter. */
  function release(content: string, sum?: string): string {
    const work = join(root, 'release')
    rmSync(work, { recursive: true, force: true })
    write(join(work, 'dist/main.js'), content)
    write(join(work, 'systemd/pesebre-gateway.service'), '[Service]\n')
    write(join(work, 'systemd/pesebre-gateway.socket'), '[Socket]\n')
    mkdirSync(join(root, 'bucket'), { recursive: true })
    const file = join(root, 'bucket', `${content}.tar.gz`)
    execFileSync('tar', ['-czf', file, '-C', work, '.'])
    const hash = sum ?? createHash('sha256').update(readFileSync(file)).digest('hex')
    parameter('/s/hosts/gateway-a/gateway/release', `b releases/${content}.tar.gz ${hash}`)
    return hash
  }

  async function run(...args: string[]): Promise<{ code: number; text: string }> {
    rmSync(join(root, 'calls'), { force: true })
    const env = { ROOT: root, PATH: `${bin}:${process.env['PATH']}` }
    try {
      const { stdout, stderr } = await promisify(execFile)('bash', [SCRIPT, ...args], {
        env,
        timeout: 30_000,
      })
      return { code: 0, text: stdout + stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, text: stdout + stderr }
    }
  }

  /** These services are there, of which some answer. */
  function runs(services: string, { ready }: { ready: string }): void {
    write(join(root, 'etc/pesebre/host'), `HOST=s-gateway-a\nREGION=eu-west-1\nSERVICES="${services}"\n`)
    write(join(root, 'proc/net/snmp'), 'Udp: InDatagrams\nUdp: 1 0 0 1 7 0\n')
    mkdirSync(join(root, 'run'), { recursive: true })
    const port = ready === 'gateway' ? 9683 : 9680
    fake('curl', `[[ $* == *:${port}/* ]]`)
    fake('df', 'printf "Use%%\\n 12%%\\n"')
  }

  return {
    root,
    release,
    runs,
    run,
    parameter,
    calls: () => (existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8') : ''),
    current: () => readlinkSync(join(root, 'opt/pesebre/gateway/current')),
    text: (path: string) => readFileSync(join(root, path), 'utf8'),
  }
}

t.test('start takes the address and the disk, and runs the release', async (t) => {
  const host = openHost(t, { hasDisk: false })
  const sum = host.release('one')
  const { code, text } = await host.run('start')
  t.equal(code, 0, text)
  const calls = host.calls()
  t.match(
    calls,
    /aws ec2 associate-address .*--allocation-id eipalloc-1 --instance-id i-1 +--allow-reassociation/,
  )
  t.match(calls, /aws ec2 attach-volume .*--volume-id vol-0abc --instance-id i-1/)
  t.match(
    calls,
    /mkfs\.ext4 [^\n]*vol0abc\nmount -o noatime,nodev,nosuid,noexec/,
    'an empty disk gets a file system',
  )
  t.match(calls, /enable -q --now pesebre-gateway\.socket[\s\S]*restart pesebre-gateway\.service/)
  t.equal(host.current(), sum)
  t.equal(host.text('etc/pesebre/gateway.env'), 'PESEBRE_GATEWAY_ID=s-a\n')
  t.match(
    host.text('etc/systemd/system/pesebre-gateway.service.d/secrets.conf'),
    'pesebre-host secrets gateway',
  )
})

t.test(
  'apply again does nothing; new settings and new releases restart the service, the socket stays',
  async (t) => {
    const host = openHost(t)
    host.release('one')
    await host.run('apply')
    t.match((await host.run('apply')).text, 'nothing to do')
    t.notMatch(host.calls(), 'systemctl restart')
    host.parameter('/s/hosts/gateway-a/gateway/environment', 'PESEBRE_GATEWAY_ID=s-a\nPESEBRE_LINGER_MS=500')
    await host.run('apply')
    t.match(host.calls(), 'systemctl restart pesebre-gateway.service')
    const second = host.release('two')
    t.equal((await host.run('apply')).code, 0)
    t.equal(host.current(), second)
    t.notMatch(host.calls(), /(stop|restart) pesebre-gateway\.socket/)
  },
)

t.test(
  'a release that does not start, or is not the one that was asked for, leaves what ran before',
  async (t) => {
    const host = openHost(t)
    const good = host.release('one')
    await host.run('apply')
    host.release('sick')
    host.parameter('/s/hosts/gateway-a/gateway/environment', 'PESEBRE_GATEWAY_ID=s-a\nPESEBRE_NEW=1')
    const failed = await host.run('apply')
    t.equal(failed.code, 1)
    t.match(failed.text, 'runs again what ran before')
    t.equal(host.current(), good)
    t.equal(host.text('etc/pesebre/gateway.env'), 'PESEBRE_GATEWAY_ID=s-a\n', 'with the settings of before')

    host.release('other', 'a'.repeat(64))
    const refused = await host.run('apply')
    t.equal(refused.code, 1)
    t.match(refused.text, 'The release is not the one that was asked for')
    t.equal(host.current(), good)
  },
)

t.test('apply waits for the disk, and for whoever is at work', async (t) => {
  const host = openHost(t, { hasDisk: false })
  host.release('one')
  const early = await host.run('apply')
  t.equal(early.code, 1)
  t.match(early.text, 'The disk is not there: vol-0abc')
  t.notMatch(host.calls(), /systemctl|install/, 'nothing is written beside the disk')
  const [first, second] = await Promise.all([host.run('start'), host.run('start')])
  t.strictSame([first.code, second.code], [0, 0])
  t.match(`${first.text}${second.text}`, 'gateway: nothing to do')
})

t.test('metrics say whether gateway and web server are ready', async (t) => {
  const host = openHost(t)
  host.runs('gateway web', { ready: 'gateway' })
  t.equal((await host.run('metrics')).code, 0)
  t.match(
    host.calls(),
    /MetricName=NotReady,Unit=None,Value=0,Dimensions=\[\{Name=Host,Value=s-gateway-a\}\]/,
  )
  t.match(host.calls(), 'MetricName=WebNotReady,Unit=None,Value=1,')
})

t.test('secrets come into memory for the service alone', async (t) => {
  const host = openHost(t)
  host.release('one')
  await host.run('apply')
  t.equal((await host.run('secrets', 'gateway')).code, 0)
  const dir = 'run/pesebre-gateway'
  t.equal(host.text(`${dir}/certificate`), '-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----\n')
  t.equal(host.text(`${dir}/key`), '-----BEGIN RSA PRIVATE KEY-----\nK\n-----END RSA PRIVATE KEY-----\n')
  t.equal(host.text(`${dir}/setup-token`), 'TOKEN=once\n')
  t.equal(host.text(`${dir}/database`), 'PESEBRE_DATABASE_URL=mysql://pesebre:a%2Fb%40c@db:3306/p\n')
  t.equal(lstatSync(join(host.root, dir, 'key')).mode & 0o077, 0)
  t.notOk(existsSync(join(host.root, dir, 'mqtt.new')))
})
