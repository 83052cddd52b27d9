#!/usr/bin/env node
// Starts the command line with a Node that runs TypeScript: this one, or the pinned one that npm put beside it.
// Plain JavaScript without imports from packages: it must run on any Node that the machine has.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const RUNTIME_NODE = 24
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= RUNTIME_NODE) {
  // The second run and all later ones start in half the time: Node keeps what it made of the TypeScript.
  module.enableCompileCache()
  await import(main)
} else {
  const node = pinnedNode(dirname(main))
  if (node === undefined) {
    console.error(
      `Node ${process.versions.node} is too old for pesebre: run npm start once, or use Node ${RUNTIME_NODE} or newer`,
    )
    process.exit(1)
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Ctrl-C reaches the child by itself; this process waits for what it makes of it.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code) => process.exit(code ?? 1))
}

function pinnedNode(from) {
  const candidate = join(from, 'node_modules/.bin/node')
  if (existsSync(candidate)) return candidate
  return dirname(from) === from ? undefined : pinnedNode(dirname(from))
}
