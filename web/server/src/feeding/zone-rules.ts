import type { DeviceConfig } from '@pesebre/contract/check-in'
import { ruleHoldsUntil, zoneRuleOf } from '@pesebre/contract/zone-rule'

/**
 * The clock on the wall is part of a feeder's configuration: its rule stands beside the zone, under the same version. Where the clocks
 * go by the moon or by decree, a rule is true for a while only; and what we know of any zone may change with the time zone database. A
 * rule that will not be true for long is replaced, weeks ahead, so that no meal is an hour off on the day of a change.
 */

/** A feeder takes a configuration within hours; one whose network is bad, within days. This is more, milliseconds. */
const AHEAD_MS = 30 * 86_400_000

/** A configuration with a rule that is true for weeks. The same one when it has such a rule. `now` in milliseconds since 1970. */
export function withRule(config: DeviceConfig, now: number): DeviceConfig {
  const { rule: before, ...others } = config
  const { zone } = others
  if (zone === undefined) return before === undefined ? config : others
  const until = before === undefined ? now : ruleHoldsUntil(before, zone, now)
  if (until > now + AHEAD_MS) return config
  const rule = zoneRuleOf(zone, now)
  // What nobody can say for long is not said anew again and again.
  if (rule === undefined || (before !== undefined && ruleHoldsUntil(rule, zone, now) <= until)) return config
  return { ...config, rule }
}
