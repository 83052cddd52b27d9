import { Select } from '../ui/controls.tsx'

/** Every zone that the browser knows, and the present value even if it knows it not. */
export function ZoneField({
  label,
  value,
  onPick,
  disabled = false,
}: {
  label: string
  value: string
  onPick: (zone: string) => void
  disabled?: boolean
}) {
  const known = Intl.supportedValuesOf('timeZone')
  const zones = known.includes(value) ? known : [value, ...known]
  return (
    <Select
      label={label}
      value={value}
      disabled={disabled}
      options={zones.map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))}
      onPick={onPick}
    />
  )
}
