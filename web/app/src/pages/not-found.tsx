import { ButtonLink } from '../ui/controls.tsx'
import { Empty } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'

export function NotFound() {
  const w = words.value
  return (
    <Empty icon="info" title={w.app.notFound} action={<ButtonLink href="/">{w.app.home}</ButtonLink>}>
      {w.app.notFoundHelp}
    </Empty>
  )
}
