/** Cards, states of loading, empty and error, dialogs, tags and meters. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import type { Loaded } from '../data/cache.ts'
import type { Problem } from '../data/client.ts'
import { words } from '../words/language.ts'
import { sayProblem } from '../words/problems.ts'
import { Button, IconButton } from './controls.tsx'
import { Icon, type IconName } from './icon.tsx'
import type { Tone } from './tone.ts'

export function Card({
  title,
  actions,
  children,
  class: extra,
  level = 2,
}: {
  title?: ComponentChildren
  actions?: ComponentChildren
  children?: ComponentChildren
  class?: string
  level?: 2 | 3
}) {
  const Heading = `h${level}` as 'h2'
  return (
    <section class={`card ${extra ?? ''}`}>
      {(title !== undefined || actions !== undefined) && (
        <header class="row spread">
          {title !== undefined && <Heading>{title}</Heading>}
          {actions}
        </header>
      )}
      {children}
    </section>
  )
}

export function Tag({
  tone = 'neutral',
  icon,
  children,
}: {
  tone?: Tone
  icon?: IconName
  children: ComponentChildren
}) {
  return (
    <span class={`tag ${tone}`}>
      {icon ? <Icon name={icon} size={14} /> : <span class="dot" />}
      {children}
    </span>
  )
}

/** A remark that stands out. `alert` ones are read out at once. */
export function Note({
  tone = 'neutral',
  title,
  children,
  role,
}: {
  tone?: Tone
  title?: ComponentChildren
  children?: ComponentChildren
  role?: 'alert' | 'status'
}) {
  return (
    <div class={`note ${tone}`} role={role}>
      <Icon name={tone === 'good' ? 'check' : tone === 'bad' || tone === 'warn' ? 'warning' : 'info'} />
      <div class="stack close">
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
    </div>
  )
}

/** Nothing is there: says so, and what to do. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName
  title: string
  children?: ComponentChildren
  action?: ComponentChildren
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <p class="title">{title}</p>
      {children !== undefined && <p class="soft">{children}</p>}
      {action}
    </div>
  )
}

/** What went wrong in plain words, and a way on. */
export function Failure({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  const w = words.value
  return (
    <Note tone="bad" role="alert" title={w.problem.title}>
      <div class="stack tight">
        <p>{sayProblem(w, problem)}</p>
        {onRetry && (
          <div>
            <Button icon="refresh" onClick={onRetry}>
              {w.act.retry}
            </Button>
          </div>
        )}
      </div>
    </Note>
  )
}

/** Grey bars of the size of what will be there. */
export function Skeleton({ lines = 3, height }: { lines?: number; height?: string }) {
  return (
    <div class="skeletons" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="skeleton" style={height === undefined ? undefined : { height }} />
      ))}
    </div>
  )
}

/** Data when they are there; else bones, or what went wrong. What was there before stays while it is read again. */
export function Show<T>({
  loaded,
  bones,
  onRetry,
  children,
}: {
  loaded: Loaded<T>
  bones?: ComponentChildren
  onRetry?: () => void
  children: (data: T) => ComponentChildren
}) {
  const { data, error } = loaded
  if (data !== undefined)
    return (
      <>
        {error && <Failure problem={error} {...(onRetry && { onRetry })} />}
        {children(data)}
      </>
    )
  if (error) return <Failure problem={error} {...(onRetry && { onRetry })} />
  return (
    <div aria-busy="true">
      <span class="visually-hidden" role="status">
        {words.value.app.loading}
      </span>
      {bones ?? <Skeleton />}
    </div>
  )
}

/** A modal `<dialog>`: Escape, focus and inertness are the browser's. Mounted means open. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string
  onClose: () => void
  children: ComponentChildren
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    ref.current?.showModal()
  }, [])
  return (
    // A press beside it closes it; Escape does so, too, and is the browser's.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && ref.current?.close()}
    >
      <div class="stack">
        <header class="row spread">
          <h2 id={id}>{title}</h2>
          <IconButton icon="cross" label={words.value.act.close} onClick={() => ref.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  )
}

/** How full something is. Null: nobody has said. */
export function Meter({
  icon,
  label,
  value,
  low,
}: {
  icon: IconName
  label: string
  value: number | null
  /** Below this it needs somebody. */
  low: number
}) {
  const isLow = value !== null && value < low
  return (
    <div class={`meter ${isLow ? 'low' : ''}`}>
      <Icon name={icon} size={18} />
      <span class="label">{label}</span>
      <span class="value">{value === null ? '–' : `${Math.round(value)} %`}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ inlineSize: `${Math.max(0, Math.min(100, value ?? 0))}%` }} />
      </span>
    </div>
  )
}

/** Title of a page: also of the window. */
export function PageHeader({
  title,
  lead,
  actions,
  back,
}: {
  title: string
  lead?: ComponentChildren
  actions?: ComponentChildren
  back?: { href: string; label: string }
}) {
  useEffect(() => {
    document.title = `${title} · Pesebre`
  }, [title])
  return (
    <header class="page-header">
      {back && (
        <a class="back" href={back.href}>
          <Icon name="left" size={16} />
          {back.label}
        </a>
      )}
      <div class="row spread">
        <div class="titles">
          <h1>{title}</h1>
          {lead !== undefined && <div class="lead">{lead}</div>}
        </div>
        {actions !== undefined && <div class="row tight">{actions}</div>}
      </div>
    </header>
  )
}
