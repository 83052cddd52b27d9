/** What is set once: name and picture, limits, calibration, and the end. */
import { isOwner, mayFeed } from '../../data/session.ts'
import { CalibrationCard } from './calibration.tsx'
import { DetailsCard } from './details.tsx'
import type { SectionProps } from './horse.tsx'
import { LimitsCard } from './limits.tsx'
import { RemoveCard } from './remove.tsx'
import './settings.css'

export function SettingsSection({ horse, role, zone }: SectionProps) {
  return (
    <div class="stack wide">
      <div class="columns">
        <div class="stack wide">
          <DetailsCard horse={horse} mayChange={isOwner(role)} mayPicture={mayFeed(role)} />
        </div>
        {horse.feeder !== null && (
          <div class="stack wide">
            <LimitsCard horse={horse} mayChange={isOwner(role)} />
            <CalibrationCard horse={horse} mayChange={mayFeed(role)} zone={zone} />
          </div>
        )}
      </div>
      {isOwner(role) && <RemoveCard horse={horse} />}
    </div>
  )
}
