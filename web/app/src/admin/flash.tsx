/** Flashing from the browser: what is possible here, and what is not, said plainly. */
import type { Proposal } from '@pesebre/contract/api/device'
import { useData } from '../data/cache.ts'
import { ButtonLink } from '../ui/controls.tsx'
import { Card, Note } from '../ui/surfaces.tsx'
import { adminWords } from './words.ts'

export function Flash({ kind }: { kind: string }) {
  const a = adminWords.value
  const { data: proposal } = useData<Proposal>(`/devices/proposal?kind=${kind}`)
  if (proposal === undefined) return null
  const { firmware } = proposal
  const hasSerial = 'serial' in navigator
  return (
    <Card title={a.flash.title}>
      {firmware === null ? (
        <Note>{a.flash.none}</Note>
      ) : hasSerial ? (
        <div class="row spread">
          <p>{a.flash.ready(firmware.version)}</p>
          <ButtonLink href={firmware.manifest} target="_blank">
            {a.flash.open}
          </ButtonLink>
        </div>
      ) : (
        <Note>{a.flash.unsupported}</Note>
      )}
    </Card>
  )
}
