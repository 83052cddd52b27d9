import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { attribute, blocks, generated } from '../../terraform/generate.ts'

const TERRAFORM = new URL('../../terraform/', import.meta.url).pathname

const sources = readdirSync(TERRAFORM, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.tf') && !file.includes('node_modules') && !file.includes('.terraform/'),
)
const textOf = (file: string): string => readFileSync(join(TERRAFORM, file), 'utf8')

t.test('what is made of the sources is up to date: node terraform/generate.ts', async (t) => {
  for (const [path, content] of generated()) t.equal(textOf(path), content, path)
})

t.test('every variable and output is described, every variable has a type', async (t) => {
  let variables = 0
  for (const file of sources) {
    for (const { name, body } of blocks(textOf(file), 'variable')) {
      variables++
      t.match(attribute(body, 'description'), /^".{8,}"$/, `${file}: ${name} is described`)
      t.not(attribute(body, 'type'), '', `${file}: ${name} has a type`)
      const isChecked = body.includes('validation {')
      const message = /error_message = "(.*)"/.exec(body)?.[1] ?? ''
      if (isChecked)
        t.match(message, /must|needs|is not there/, `${file}: ${name}: its message says what is allowed`)
    }
    for (const { name, body } of blocks(textOf(file), 'output'))
      t.match(attribute(body, 'description'), /^".{8,}"$/, `${file}: ${name} is described`)
  }
  t.ok(variables > 100)
})

t.test('what must not be lost is protected from destruction', async (t) => {
  const isProtected = (file: string, type: string, name: string): boolean =>
    [...textOf(file).matchAll(new RegExp(`^resource "${type}" "${name}" \\{\\n([\\s\\S]*?)^\\}`, 'gm'))].some(
      ([, body]) => /prevent_destroy\s+= true/.test(body!),
    )
  t.ok(isProtected('modules/addresses/main.tf', 'aws_eip', 'gateway'), 'addresses that firmware knows')
  t.ok(isProtected('modules/host/main.tf', 'aws_ebs_volume', 'data'), 'disks with journals')
})

t.test('nobody logs in by SSH, and no role is the wide one that AWS offers', async (t) => {
  for (const file of sources) {
    const text = textOf(file)
    t.notMatch(text, /key_name|aws_key_pair|from_port\s*=\s*22\b/, file)
    t.notMatch(text, /aws_iam_role_policy_attachment|managed_policy_arns/, file)
  }
})

t.test('every log group says how long it keeps', async (t) => {
  let groups = 0
  for (const file of sources)
    for (const [, body] of textOf(file).matchAll(
      /^resource "aws_cloudwatch_log_group" "\w+" \{\n([\s\S]*?)^\}/gm,
    )) {
      groups++
      t.match(body, /retention_in_days\s*= var\.log_retention_days/, file)
    }
  t.ok(groups >= 1)
})
