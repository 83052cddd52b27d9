import { Problem } from './problems.ts'

/** Whether this machine knows the IANA zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** @throws Problem 400 */
export function checkZone(zone: string): void {
  if (!isZone(zone)) throw new Problem('invalid', { errors: [{ path: '/zone', message: 'is no IANA zone' }] })
}
