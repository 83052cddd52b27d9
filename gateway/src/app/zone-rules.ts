import type { DeviceConfig } from '@pesebre/contract/check-in'
import { type ZoneRule, zoneRuleOf } from '@pesebre/contract/zone-rule'

/** To find a rule takes milliseconds, and a fleet has a handful of zones. They are found anew each year. */
const known = new Map<string, { readonly year: number; readonly rule: ZoneRule | undefined }>()
/** There are some four hundred zones; names that nobody knows must not fill the memory. */
const KNOWN_MAX = 1000

/**
 * A configuration as a device needs it: with the rule of its zone. The web server's has it, and a new version when the rule changes; this is
 * for those that somebody else has written. `now` in milliseconds since 1970.
 */
export function withRule(config: DeviceConfig, now: number): DeviceConfig {
  if (config.zone === undefined || config.rule !== undefined) return config
  const rule = ruleOf(config.zone, now)
  return rule === undefined ? config : { ...config, rule }
}

function ruleOf(zone: string, now: number): ZoneRule | undefined {
  const year = new Date(now).getUTCFullYear()
  const found = known.get(zone)
  if (found?.year === year) return found.rule
  if (known.size >= KNOWN_MAX) known.clear()
  const rule = zoneRuleOf(zone, now)
  known.set(zone, { year, rule })
  return rule
}
