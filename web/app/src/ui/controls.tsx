/** Buttons, fields and choices: native elements with one look. */
import type {
  AnchorHTMLAttributes,
  ButtonHTMLAttributes,
  ComponentChildren,
  InputHTMLAttributes,
} from 'preact'
import { useId } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

type ButtonLook = 'primary' | 'plain' | 'quiet' | 'danger'
export type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon' | 'size' | 'role'> & {
  look?: ButtonLook
  icon?: IconName
  /** Something it started still runs: it says so, and takes no further presses. */
  isBusy?: boolean
}

export function Button({
  look = 'plain',
  icon,
  isBusy = false,
  children,
  class: extra,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={`button ${look} ${extra ?? ''}`}
      aria-busy={isBusy || undefined}
      disabled={isBusy || rest.disabled}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A button of an icon alone: `label` is its name. */
export function IconButton({ icon, label, ...rest }: ButtonProps & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      class={`icon-button ${rest.class ?? ''}`}
      aria-label={label}
    >
      <Icon name={icon} />
    </button>
  )
}

/** A link that looks like a button. */
export function ButtonLink({
  href,
  look = 'plain',
  icon,
  children,
  ...rest
}: {
  href: string
  look?: ButtonLook
  icon?: IconName
  children: ComponentChildren
} & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'icon' | 'role' | 'href'>) {
  return (
    <a {...rest} href={href} class={`button ${look}`}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  )
}

type FieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, 'label' | 'size' | 'role'> & {
  label: string
  help?: ComponentChildren
  error?: string | undefined
  /** Shown behind the value: `g`, `kg`. */
  unit?: string
}

/** A labelled input; help and error are read with it. */
export function Field({ label, help, error, unit, ...input }: FieldProps) {
  const id = useId()
  const about = [help !== undefined && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class={unit === undefined ? 'input' : 'input with-unit'}>
        <input
          id={id}
          // The types of Preact know each kind of input apart, which one field for all of them cannot.
          {...(input as object)}
          aria-describedby={about === '' ? undefined : about}
          aria-invalid={error ? true : undefined}
        />
        {unit !== undefined && (
          <span class="unit" aria-hidden="true">
            {unit}
          </span>
        )}
      </span>
      {help !== undefined && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}

type SelectProps = {
  label: string
  value: string
  options: readonly { value: string; label: string }[]
  onPick: (value: string) => void
  help?: string
  isHidden?: boolean
  disabled?: boolean
}

/** A labelled `<select>`. */
export function Select({
  label,
  value,
  options,
  onPick,
  help,
  isHidden = false,
  disabled = false,
}: SelectProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id} class={isHidden ? 'visually-hidden' : undefined}>
        {label}
      </label>
      <span class="input select">
        <select
          id={id}
          value={value}
          disabled={disabled}
          onChange={(event) => onPick(event.currentTarget.value)}
          aria-describedby={help === undefined ? undefined : `${id}-help`}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
        <Icon name="down" size={16} />
      </span>
      {help !== undefined && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  )
}

type ChoiceProps<T extends string> = {
  label: string
  value: T
  options: readonly { value: T; label: string }[]
  onPick: (value: T) => void
  isLabelShown?: boolean
}

/** A few choices beside each other: radio buttons that look like one control. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onPick,
  isLabelShown = false,
}: ChoiceProps<T>) {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend class={isLabelShown ? undefined : 'visually-hidden'}>{label}</legend>
      <div class="segments">
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onPick(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** One yes or no. */
export function Check({
  label,
  help,
  isOn,
  onChange,
  disabled = false,
}: {
  label: ComponentChildren
  help?: string
  isOn: boolean
  onChange: (isOn: boolean) => void
  disabled?: boolean
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        {help !== undefined && <span class="help">{help}</span>}
      </span>
    </label>
  )
}
