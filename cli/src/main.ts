/** The command line: wires what a command needs of the world to this process. */
import { styleText } from 'node:util'
import { findCommand } from './args.ts'
import { COMMANDS, runCli } from './cli.ts'
import { EXIT, type Io } from './command.ts'

/** What a shell expects of a program that Ctrl-C has ended: 128 + SIGINT. */
const INTERRUPTED = 130

const line = process.argv.slice(2)
const interrupted = new AbortController()
const io: Io = {
  env: process.env,
  out: (text) => process.stdout.write(`${text}\n`),
  note: (text) => process.stderr.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${styleText('red', text, { stream: process.stderr })}\n`),
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
  stdin: readStdin,
  signal: interrupted.signal,
}

process.once('SIGINT', () => {
  interrupted.abort()
  if (findCommand(COMMANDS, line)?.command.endsItself !== true) process.exit(INTERRUPTED)
})
// A reader that has had enough (`| head`) is no error.
process.stdout.on('error', () => process.exit(EXIT.ok))
process.exitCode = await runCli(line, io)
// Connections that an AWS client keeps for its next call must not keep the process.
process.stdout.write('', () => process.exit())

async function readStdin(): Promise<Uint8Array | undefined> {
  if (process.stdin.isTTY) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}
