import type { Command, Paint } from './command.ts'

/** Every command takes these. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', help: 'Print JSON, for programs' },
  help: { type: 'boolean', short: 'h', help: 'Print this text' },
} as const

const EXIT_CODES = 'Exit codes: 0 it worked, 1 it failed (the message says what to do), 2 wrong usage'

/** What `pesebre --help` prints. */
export function overview(commands: readonly Command[], paint: Paint): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    `${paint('bold', 'pesebre')}: try out and look after a CoAP gateway for AWS IoT`,
    '',
    `${paint('bold', 'Usage')}  npx pesebre <command> [options]`,
    '',
    ...commands.map(({ name, summary }) => `  ${paint('cyan', name.padEnd(width))}  ${summary}`),
    '',
    'npx pesebre <command> --help says more about one of them.',
    EXIT_CODES,
  ].join('\n')
}

/** What `pesebre <command> --help` prints. */
export function helpOf(command: Command, paint: Paint): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, option]) => {
    const short = 'short' in option && option.short !== undefined ? `-${option.short}, ` : '    '
    const value = 'value' in option && option.value !== undefined ? ` <${option.value}>` : ''
    return [`${short}--${name}${value}`, option.help] as const
  })
  const width = Math.max(...options.map(([left]) => left.length))
  return [
    `${paint('bold', `pesebre ${command.name}`)}: ${command.summary.charAt(0).toLowerCase()}${command.summary.slice(1)}`,
    '',
    `${paint('bold', 'Usage')}  npx pesebre ${command.name} ${command.usage}`.trimEnd(),
    ...command.about.flatMap((paragraph) => ['', paragraph]),
    '',
    paint('bold', 'Options'),
    ...options.map(([left, help]) => `  ${paint('cyan', left.padEnd(width))}  ${help}`),
    '',
    paint('bold', 'Examples'),
    ...command.examples.flatMap(([line, what]) => [
      `  ${paint('dim', `# ${what}`)}`,
      `  npx pesebre ${line}`,
    ]),
    '',
    EXIT_CODES,
  ].join('\n')
}
