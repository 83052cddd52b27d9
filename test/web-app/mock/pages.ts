/** Every page that there is, by a name for files, and who looks at it. */
import { BELLA, type Role, SOL, STABLE } from './fixtures.ts'

export type Page = {
  name: string
  path: string
  role: Role | undefined
  isEmpty?: boolean
  /** What is pressed there first: opens a dialog, or a row. */
  press?: string
}

export const PAGES: readonly Page[] = [
  { name: 'login', path: '/', role: undefined },
  { name: 'setup', path: '/setup#token', role: undefined },
  { name: 'invitation', path: '/invitation#token', role: undefined },
  { name: 'stable', path: `/stables/${STABLE}`, role: 'owner' },
  { name: 'stable-empty', path: `/stables/${STABLE}`, role: 'owner', isEmpty: true },
  { name: 'horse', path: `/horses/${BELLA}`, role: 'owner' },
  { name: 'horse-jammed', path: `/horses/${SOL}`, role: 'groom' },
  { name: 'horse-vet', path: `/horses/${BELLA}`, role: 'vet', isEmpty: true },
  { name: 'history', path: `/horses/${BELLA}/history`, role: 'owner' },
  { name: 'camera', path: `/horses/${BELLA}/camera`, role: 'owner' },
  { name: 'schedule', path: `/horses/${BELLA}/schedule`, role: 'owner' },
  { name: 'horse-settings', path: `/horses/${BELLA}/settings`, role: 'owner' },
  { name: 'alarms', path: `/stables/${STABLE}/alarms`, role: 'groom' },
  { name: 'alarms-empty', path: `/stables/${STABLE}/alarms`, role: 'vet', isEmpty: true },
  { name: 'sharing', path: `/stables/${STABLE}/sharing`, role: 'owner' },
  { name: 'account', path: '/account', role: 'owner' },
  { name: 'notifications', path: '/account/notifications', role: 'owner' },
  { name: 'not-found', path: '/nowhere', role: 'owner' },
  { name: 'fleet', path: '/admin/devices', role: 'admin' },
  { name: 'register', path: '/admin/devices/new', role: 'admin' },
  { name: 'device', path: '/admin/devices/feeder-1a2b3c4d', role: 'admin' },
  { name: 'people', path: '/admin/people', role: 'admin' },
  { name: 'stables', path: '/admin/stables', role: 'admin' },
  { name: 'system', path: '/admin/system', role: 'admin' },
  { name: 'add-horse', path: `/stables/${STABLE}`, role: 'owner', press: '.tile-add button' },
  { name: 'confirm-feeding', path: `/horses/${BELLA}`, role: 'groom', press: '.hold' },
  { name: 'ledger-row', path: `/horses/${BELLA}`, role: 'vet', press: '.ledger li:nth-child(3) summary' },
  {
    name: 'spread',
    path: `/horses/${BELLA}/schedule`,
    role: 'owner',
    press: '.schedule-columns .button.quiet',
  },
  { name: 'history-table', path: `/horses/${BELLA}/history`, role: 'owner', press: '.history summary' },
  {
    name: 'calibrate',
    path: `/horses/${BELLA}/settings`,
    role: 'owner',
    press: '.card:last-child > div > .button',
  },
  { name: 'invite', path: `/stables/${STABLE}/sharing`, role: 'owner', press: '.card header .button' },
]
