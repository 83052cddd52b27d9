/** What matters now: feed, the day's plan against what was eaten, the camera's last picture, and the ledger. */
import { Card } from '../../ui/surfaces.tsx'
import { words } from '../../words/language.ts'
import { DayPlan } from './day-plan.tsx'
import { FeedPanel } from './feed-panel.tsx'
import { FeederFacts } from './feeder-facts.tsx'
import type { SectionProps } from './horse.tsx'
import { Ledger } from './ledger.tsx'
import { Snapshot } from './snapshot.tsx'

export function Today({ horse, card, role, zone }: SectionProps) {
  const w = words.value
  return (
    <div class="columns">
      <div class="stack wide">
        <FeedPanel horse={horse} card={card} role={role} zone={zone} />
        {card?.feeder && <FeederFacts feeder={card.feeder} />}
      </div>
      <div class="stack wide">
        {horse.camera !== null && <Snapshot horse={horse} />}
        <DayPlan horse={horse} zone={zone} />
        <Card title={w.horse.ledger}>
          <Ledger horse={horse} zone={zone} />
        </Card>
      </div>
    </div>
  )
}
