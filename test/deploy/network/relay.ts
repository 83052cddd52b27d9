/**
 * Carries TCP connections from one address to another: `node relay.ts <listen address> <target address> <port>...`. The stand-ins
 * for AWS listen on the loopback of their network only, and gateways look for them on the loopback of theirs.
 */
import { connect, createServer } from 'node:net'

const [listen, target, ...ports] = process.argv.slice(2)
for (const port of ports.map(Number))
  createServer((near) => {
    const far = connect(port, target)
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  }).listen(port, listen)
