import type { DeviceStanding } from '@pesebre/contract/api/device'
import { Tag } from '../ui/surfaces.tsx'
import type { Tone } from '../ui/tone.ts'
import { adminWords } from './words.ts'

const TONES: Record<DeviceStanding, Tone> = {
  alarm: 'bad',
  silent: 'bad',
  late: 'warn',
  'gateway-down': 'warn',
  new: 'accent',
  good: 'good',
  disabled: 'neutral',
  revoked: 'neutral',
}

export function StandingTag({ standing }: { standing: DeviceStanding }) {
  return <Tag tone={TONES[standing]}>{adminWords.value.standing[standing]}</Tag>
}
