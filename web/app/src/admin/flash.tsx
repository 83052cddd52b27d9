/** Flashing from the browser: what is possible here, and what is not, said plainly. */
import type { Proposal } from '@pesebre/contract/api/device'
import { useState } from 'preact/hooks'
import { useData } from '../data/cache.ts'
import { Problem } from '../data/client.ts'
import { Button } from '../ui/controls.tsx'
import { Card, Note } from '../ui/surfaces.tsx'
import { percent } from '../words/format.ts'
import { language } from '../words/language.ts'
import { buildFor, buildsOf } from './firmware.ts'
import { flash, hasSerial } from './serial.ts'
import { adminWords } from './words.ts'

export function Flash({ kind }: { kind: string }) {
  const a = adminWords.value
  const { data: proposal } = useData<Proposal>(`/devices/proposal?kind=${kind}`)
  if (proposal === undefined) return null
  const { firmware } = proposal
  return (
    <Card title={a.flash.title}>
      {firmware === null ? (
        <Note>{a.flash.none}</Note>
      ) : hasSerial() ? (
        <Writer firmware={firmware} />
      ) : (
        <Note>{a.flash.unsupported}</Note>
      )}
    </Card>
  )
}

type Outcome = { kind: 'done' | 'foreign'; chip: string } | { kind: 'failed'; why: string }

function Writer({ firmware }: { firmware: NonNullable<Proposal['firmware']> }) {
  const a = adminWords.value
  const [share, setShare] = useState<number>()
  const [outcome, setOutcome] = useState<Outcome>()
  async function write(): Promise<void> {
    setOutcome(undefined)
    setShare(0)
    try {
      const { chip, isWritten } = await flash((found) => partsOf(firmware.manifest, found), setShare)
      setOutcome({ kind: isWritten ? 'done' : 'foreign', chip })
    } catch (error) {
      setOutcome({ kind: 'failed', why: error instanceof Error ? error.message : String(error) })
    } finally {
      setShare(undefined)
    }
  }
  return (
    <div class="stack tight">
      <p>{a.flash.ready(firmware.version)}</p>
      <p class="soft small">{a.flash.identity}</p>
      <div role="status">
        {share !== undefined && (
          <p class="waiting">
            <span class="pulse" aria-hidden="true" />
            {a.flash.writing(percent(language.value, Math.round(share * 100)))}
          </p>
        )}
        {outcome?.kind === 'done' && <Note tone="good">{a.flash.done(outcome.chip)}</Note>}
        {outcome?.kind === 'foreign' && <Note tone="warn">{a.flash.foreign(outcome.chip)}</Note>}
        {outcome?.kind === 'failed' && (
          <Note tone="bad" title={a.flash.failed}>
            <span lang="en">{outcome.why}</span>
          </Note>
        )}
      </div>
      <div>
        <Button look="primary" isBusy={share !== undefined} onClick={() => void write()}>
          {a.flash.write}
        </Button>
      </div>
    </div>
  )
}

/** The files for a chip, out of the directory of the manifest. */
async function partsOf(manifest: string, chip: string) {
  const build = buildFor(chip, buildsOf(await read(manifest).then((answer) => answer.json())))
  if (build === undefined) return undefined
  const base = manifest.slice(0, manifest.lastIndexOf('/') + 1)
  return Promise.all(
    build.parts.map(async (part) => ({
      part,
      data: new Uint8Array(await (await read(base + part.path)).arrayBuffer()),
    })),
  )
}

async function read(path: string): Promise<Response> {
  const answer = await fetch(path, { credentials: 'same-origin' })
  if (!answer.ok)
    throw new Problem(answer.status, 'firmware', { detail: `Read ${path}: status ${answer.status}` })
  return answer
}
