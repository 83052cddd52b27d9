/** What is flashed on a device, each form once. */
import type { Download, DownloadForm } from '@pesebre/contract/api/device'
import { useState } from 'preact/hooks'
import { Problem } from '../data/client.ts'
import { now } from '../data/clock.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/controls.tsx'
import { Dialog, Failure, Note } from '../ui/surfaces.tsx'
import { clock } from '../words/format.ts'
import { language } from '../words/language.ts'
import { adminWords } from './words.ts'

export function Downloads({ thing, download }: { thing: string; download: Download }) {
  const a = adminWords.value
  const [got, setGot] = useState<ReadonlySet<DownloadForm>>(new Set())
  const [qr, setQr] = useState<string>()
  const { isBusy, problem, run } = useAction()
  const isOver = now.value > download.expires
  async function fetchForm(form: DownloadForm): Promise<void> {
    await run(async () => {
      const answer = await fetch(`${download.url}?form=${form}`, { credentials: 'same-origin' })
      if (!answer.ok) throw new Problem(answer.status, 'link-used')
      const url = URL.createObjectURL(await answer.blob())
      setGot(new Set([...got, form]))
      if (form === 'qr') setQr(url)
      else save(url, nameOf(answer) ?? `${thing}.${form === 'header' ? 'h' : form}`)
    })
  }
  return (
    <div class="stack">
      {isOver ? (
        <Note tone="warn">{a.register.expired}</Note>
      ) : (
        <p>
          {a.register.once} <strong>{clock(language.value, download.expires)}</strong>.
        </p>
      )}
      <div class="downloads">
        {download.forms.map((form) => (
          <Button
            key={form}
            icon="download"
            disabled={isOver || got.has(form) || isBusy}
            onClick={() => void fetchForm(form)}
          >
            {a.form[form]}
            <span class="soft small">{got.has(form) ? a.register.got : a.formHelp[form]}</span>
          </Button>
        ))}
      </div>
      {problem && <Failure problem={problem} />}
      <Note tone="warn">{a.register.secret}</Note>
      {qr !== undefined && (
        <Dialog title={a.register.qrTitle} onClose={() => setQr(undefined)}>
          <img class="qr" src={qr} alt={`${a.form.qr} ${thing}`} />
        </Dialog>
      )}
    </div>
  )
}

function save(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

function nameOf(answer: Response): string | undefined {
  return /filename="?([^";]+)"?/.exec(answer.headers.get('content-disposition') ?? '')?.[1]
}
