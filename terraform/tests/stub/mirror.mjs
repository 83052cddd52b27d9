/**
 * Puts the stand-in for the AWS provider where Terraform looks for providers: `node mirror.mjs <directory> <terraform folder>`.
 * Prints nothing. The schema holds the types that the folder's files name.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeSchema } from './schema.mjs'

const VERSION = '6.25.0'

export function makeMirror(directory, sources) {
  const types = new Set()
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tf') || file.includes('node_modules')) continue
    const text = readFileSync(join(sources, file), 'utf8')
    for (const [, kind, type] of text.matchAll(/^(resource|data) "(aws_\w+)"/gm))
      types.add(kind === 'data' ? `data.${type}` : type)
  }
  const place = join(
    directory,
    'registry.terraform.io/hashicorp/aws',
    VERSION,
    `linux_${process.arch === 'x64' ? 'amd64' : 'arm64'}`,
  )
  mkdirSync(place, { recursive: true })
  const schema = join(directory, 'schema.json')
  writeFileSync(schema, JSON.stringify(makeSchema([...types].sort())))
  const script = join(place, `terraform-provider-aws_v${VERSION}_x5`)
  const provider = join(import.meta.dirname, 'provider.mjs')
  writeFileSync(script, `#!/bin/sh\nSTUB_SCHEMA='${schema}' exec '${process.execPath}' '${provider}'\n`)
  chmodSync(script, 0o755)
}

if (import.meta.main) makeMirror(process.argv[2], process.argv[3])
