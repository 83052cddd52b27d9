import type { Invitation, Session } from '@pesebre/contract/api/session'
import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { useData } from '../data/cache.ts'
import { post } from '../data/client.ts'
import { readSession, session, takeSession } from '../data/session.ts'
import { LanguageSwitch } from '../shell/language-switch.tsx'
import { Welcome } from '../shell/splash.tsx'
import { useAction } from '../ui/action.ts'
import { Button, Field } from '../ui/controls.tsx'
import { Failure, Note, Show } from '../ui/surfaces.tsx'
import { mediumDate } from '../words/format.ts'
import { language, words } from '../words/language.ts'

/** Takes an invitation, as somebody new or as who is signed in. The token stands behind `#`. */
export function InvitationPage() {
  const w = words.value
  const token = location.hash.slice(1)
  const loaded = useData<Invitation>(token === '' ? undefined : `/invitations/${encodeURIComponent(token)}`)
  useEffect(() => {
    document.title = `${w.invitation.titlePlain} · Pesebre`
    if (session.peek() === undefined) readSession().catch(() => undefined)
  }, [w])
  const isGone = token === '' || [404, 410].includes(loaded.error?.status ?? 0)
  return (
    <Welcome>
      {isGone ? (
        <div class="stack">
          <h1>{w.invitation.titlePlain}</h1>
          <Note tone="warn">{w.invitation.gone}</Note>
        </div>
      ) : (
        <Show loaded={loaded}>{(invitation) => <Accept invitation={invitation} token={token} />}</Show>
      )}
      <LanguageSwitch />
    </Welcome>
  )
}

function Accept({ invitation, token }: { invitation: Invitation; token: string }) {
  const w = words.value
  const { route } = useLocation()
  const { kind, stable, role, by, email, expires } = invitation
  const [form, setForm] = useState({ name: '', email: email ?? '', password: '' })
  const { isBusy, problem, run } = useAction()
  const me = session.value?.user
  const take = (name: keyof typeof form) => (event: { currentTarget: HTMLInputElement }) =>
    setForm({ ...form, [name]: event.currentTarget.value })
  const roleName = Object.hasOwn(w.role, role) ? w.role[role as keyof typeof w.role] : role
  async function submit(): Promise<void> {
    const body = me ? {} : { ...form, language: language.value }
    const isDone = await run(async () =>
      takeSession(await post<Session>(`/invitations/${encodeURIComponent(token)}`, body)),
    )
    if (isDone) route(stable ? `/stables/${stable.id}` : '/', true)
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        submit().catch(() => undefined)
      }}
    >
      <div class="stack close">
        <h1>{stable ? w.invitation.title(stable.name) : w.invitation.titlePlain}</h1>
        <p class="soft">
          {w.invitation.from(by)} {kind === 'stable' && w.invitation.intro(roleName)}
        </p>
        <p class="soft small">{w.invitation.until(mediumDate(language.value, expires))}</p>
      </div>
      {problem && <Failure problem={problem} />}
      {me ? (
        <p>
          {me.name} · {me.email}
        </p>
      ) : (
        <>
          <Field label={w.setup.name} autocomplete="name" required value={form.name} onInput={take('name')} />
          <Field
            label={w.login.email}
            type="email"
            autocomplete="username"
            required
            readOnly={email !== null}
            value={form.email}
            onInput={take('email')}
          />
          <Field
            label={w.setup.password}
            help={w.setup.passwordHelp}
            type="password"
            autocomplete="new-password"
            required
            minLength={10}
            value={form.password}
            onInput={take('password')}
          />
        </>
      )}
      <Button type="submit" look="primary" isBusy={isBusy}>
        {w.invitation.submit}
      </Button>
    </form>
  )
}
