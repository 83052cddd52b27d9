import { execFile } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the built pages are made of, relative to web/app. */
const SOURCES = ['src', 'public', 'index.html', 'vite.config.ts', 'package.json']
const BUILD_MS = 60_000
const SAID_LINES = 12

/**
 * Builds the web app, unless what is in web/app/dist is younger than its sources. Takes a second or two.
 * Two stacks that start at once do not disturb each other: each builds beside `dist` and puts it in place when it is whole.
 * @returns what Vite said when it failed: `dist` is as it was, and the API works without
 */
export async function ensurePages(root: string): Promise<string | undefined> {
  const app = join(root, 'web/app')
  const [dist, mine, old] = ['dist', `dist.${process.pid}`, `dist.${process.pid}.old`].map((name) =>
    join(app, name),
  )
  if (!existsSync(join(app, 'index.html')) || isFresh(app)) return undefined
  const problem = await build(root, app, mine!)
  if (problem === undefined) {
    if (existsSync(dist!)) renameSync(dist!, old!)
    // Another stack may have been faster: its pages are as good.
    if (!existsSync(dist!)) renameSync(mine!, dist!)
  }
  for (const path of [mine!, old!]) rmSync(path, { recursive: true, force: true })
  return problem
}

function build(root: string, app: string, outDir: string): Promise<string | undefined> {
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const args = [vite, 'build', '--logLevel', 'warn', '--outDir', outDir, '--emptyOutDir']
  const env = { PATH: process.env['PATH'], NO_COLOR: '1' }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: app, timeout: BUILD_MS, env }, (error, stdout, stderr) => {
      if (error === null) return resolve(undefined)
      const lines = `${stdout}\n${stderr}`
        .split('\n')
        .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
      resolve(lines.slice(0, SAID_LINES).join('\n') || error.message)
    })
  })
}

function isFresh(app: string): boolean {
  const built = join(app, 'dist/index.html')
  if (!existsSync(built)) return false
  const at = statSync(built).mtimeMs
  return SOURCES.map((name) => join(app, name))
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      if (!statSync(path).isDirectory()) return [path]
      return [
        path,
        ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name)),
      ]
    })
    .every((path) => statSync(path).mtimeMs <= at)
}
