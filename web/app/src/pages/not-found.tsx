import { ButtonLink } from '../ui/controls.tsx'
import { Empty, PageHeader } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'

export function NotFound() {
  const w = words.value
  return (
    <>
      <PageHeader title={w.app.notFound} />
      <Empty icon="info" title={w.app.notFoundHelp} action={<ButtonLink href="/">{w.app.home}</ButtonLink>} />
    </>
  )
}
