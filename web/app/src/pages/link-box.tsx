import { useId, useState } from 'preact/hooks'
import { Button } from '../ui/controls.tsx'
import { words } from '../words/language.ts'

/** A link to pass on: it is shown once. */
export function LinkBox({ label, link }: { label: string; link: string }) {
  const w = words.value
  const id = useId()
  const [isCopied, setCopied] = useState(false)
  return (
    <div class="stack tight">
      <label for={id} class="label">
        {label}
      </label>
      <div class="link-box">
        <span class="input">
          <input id={id} readOnly value={link} onFocus={({ currentTarget }) => currentTarget.select()} />
        </span>
        <Button
          onClick={() => {
            navigator.clipboard
              .writeText(link)
              .then(() => setCopied(true))
              .catch(() => document.getElementById(id)?.focus())
          }}
        >
          <span role="status">{isCopied ? w.act.copied : w.act.copy}</span>
        </Button>
      </div>
    </div>
  )
}
