import { readFileSync } from 'node:fs'
import t from 'tap'
import { findCommand, readArgs } from '../../cli/src/args.ts'
import { COMMANDS } from '../../cli/src/cli.ts'

const PAGES = ['README.md', 'firmware/README.md', 'docs/operations.md']

t.test('README.md names the commands of npx pesebre: all of them, and no other', async (t) => {
  const row = /^\| `npx pesebre --help` \| the command line: (.*) \|$/m.exec(read('README.md'))?.[1]
  const names = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
  t.strictSame(names.toSorted(), COMMANDS.map(({ name }) => name).toSorted())
})

for (const page of PAGES)
  t.test(`the command lines in ${page} are ones that npx pesebre takes`, async (t) => {
    const lines = [...read(page).matchAll(/npx pesebre ([^`#\n]+)/g)].map(([, line]) => line!.trim())
    t.ok(lines.length > 0)
    for (const line of lines.filter((line) => line !== '--help')) {
      const found = findCommand(COMMANDS, line.split(/\s+/))
      t.ok(found, line)
      if (found !== undefined) t.doesNotThrow(() => readArgs(found.command, found.rest), line)
    }
  })

function read(page: string): string {
  return readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
}
