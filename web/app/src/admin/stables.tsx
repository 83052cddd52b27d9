/** All stables. */
import type { Stable } from '@pesebre/contract/api/stable'
import { useState } from 'preact/hooks'
import { refresh, useData } from '../data/cache.ts'
import { MakeStable } from '../pages/make-stable.tsx'
import { Button, ButtonLink } from '../ui/controls.tsx'
import { Card, Empty, PageHeader, Show } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'
import { AdminTabs } from './tabs.tsx'
import { adminWords } from './words.ts'
import './admin.css'

const PATH = '/stables'

export function StablesPage() {
  const a = adminWords.value
  const w = words.value
  const loaded = useData<Stable[]>(PATH)
  const [isMaking, setMaking] = useState(false)
  return (
    <>
      <AdminTabs />
      <PageHeader
        title={a.stables.title}
        lead={a.stables.lead}
        actions={
          <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
            {w.stable.make}
          </Button>
        }
      />
      <div class="narrow">
        <Show loaded={loaded} onRetry={() => void refresh(PATH)}>
          {(stables) =>
            stables.length === 0 ? (
              <Empty icon="building" title={w.stable.none}>
                {w.stable.noneHelpAdmin}
              </Empty>
            ) : (
              <Card>
                <ul class="list stable-rows">
                  {stables.map(({ id, name, zone, horses }) => (
                    <li key={id}>
                      <span class="grow">
                        <strong>{name}</strong>
                        <span class="soft small block">
                          {w.stable.horses(horses)} · {zone.replaceAll('_', ' ')}
                        </span>
                      </span>
                      <ButtonLink href={`/stables/${id}`} aria-label={`${a.stables.open}: ${name}`}>
                        {a.stables.open}
                      </ButtonLink>
                    </li>
                  ))}
                </ul>
              </Card>
            )
          }
        </Show>
      </div>
      {isMaking && <MakeStable onClose={() => setMaking(false)} />}
    </>
  )
}
