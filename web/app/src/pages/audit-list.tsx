/** Who did what, the newest first. */
import type { AuditRow } from '@pesebre/contract/api/user'
import { change, refresh, useData } from '../data/cache.ts'
import { get } from '../data/client.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/controls.tsx'
import { Card, Failure, Show, Skeleton } from '../ui/surfaces.tsx'
import { When } from '../ui/time.tsx'
import { sayAction } from '../words/audit.ts'
import { grams } from '../words/format.ts'
import { language, words } from '../words/language.ts'

type AuditPage = { rows: AuditRow[]; next: number | null }

export function AuditList({ path, zone }: { path: string; zone?: string }) {
  const w = words.value
  const loaded = useData<AuditPage>(path)
  const { isBusy, problem, run } = useAction()
  async function more(before: number): Promise<void> {
    const older = await get<AuditPage>(`${path}?before=${before}`)
    change<AuditPage>(path, (page) => ({ ...older, rows: [...page.rows, ...older.rows] }))
  }
  return (
    <Card title={w.sharing.audit}>
      <Show loaded={loaded} onRetry={() => void refresh(path)} bones={<Skeleton lines={6} />}>
        {({ rows, next }) => (
          <>
            {rows.length === 0 && <p class="soft">{w.sharing.auditEmpty}</p>}
            <ul class="list audit">
              {rows.map((row) => (
                <li key={row.id}>
                  <span class="grow">
                    <strong>{row.user?.name ?? 'Pesebre'}</strong> {sayAction(w, row.action)}
                    {sayAbout(row) !== '' && `: ${sayAbout(row)}`}
                    {sayDetail(row) !== '' && <span class="soft small block">{sayDetail(row)}</span>}
                  </span>
                  <span class="soft small nowrap">
                    <When at={row.at} zone={zone} />
                  </span>
                </li>
              ))}
            </ul>
            {problem && <Failure problem={problem} />}
            {next !== null && (
              <div>
                <Button isBusy={isBusy} onClick={() => void run(() => more(next))}>
                  {w.act.more}
                </Button>
              </div>
            )}
          </>
        )}
      </Show>
    </Card>
  )
}

/** Whom or what it was done to; of what somebody did to themselves, nothing. */
function sayAbout({ subject, user, about }: AuditRow): string {
  return subject === user?.id ? '' : about.join(', ')
}

/** What means something to the machine alone, or is said by what it was done to. */
const UNSAID: readonly string[] = ['version', 'n', 'thing', 'kind', 'language']

/** The plain values of what changed: those that speak for themselves alone, others with their names. */
function sayDetail({ detail, about }: AuditRow): string {
  const w = words.value
  return (
    Object.entries(detail)
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      // Ids tell people nothing.
      .filter(([, value]) => !/^[a-z]{3}_[a-z2-7]{16}$/.test(String(value)))
      .filter(([name, value]) => !UNSAID.includes(name) && !about.includes(String(value)))
      .map(([name, value]) => {
        if (name === 'grams' && typeof value === 'number') return grams(language.value, value)
        if (name === 'role') return w.role[value as keyof typeof w.role] ?? String(value)
        if (name === 'slots' && typeof value === 'number') return w.schedule.mealCount(value)
        return ['name', 'email', 'zone', 'form'].includes(name) ? String(value) : `${name}: ${String(value)}`
      })
      .slice(0, 4)
      .join(' · ')
  )
}
