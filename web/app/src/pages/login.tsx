import type { Session } from '@pesebre/contract/api/session'
import { useEffect, useState } from 'preact/hooks'
import { post } from '../data/client.ts'
import { session, takeSession } from '../data/session.ts'
import { LanguageSwitch } from '../shell/language-switch.tsx'
import { Welcome } from '../shell/splash.tsx'
import { useAction } from '../ui/action.ts'
import { Button, ButtonLink, Field } from '../ui/controls.tsx'
import { Failure, Note } from '../ui/surfaces.tsx'
import { words } from '../words/language.ts'

export function LoginPage() {
  const w = words.value
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const { isBusy, problem, run } = useAction()
  const oidc = session.value?.oidc
  useEffect(() => {
    document.title = `${w.login.title} · Pesebre`
  }, [w])
  return (
    <Welcome>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          run(async () => takeSession(await post<Session>('/session', { email, password }))).catch(
            () => undefined,
          )
        }}
      >
        <div class="stack close">
          <h1>{w.login.title}</h1>
          <p class="soft">{w.app.tagline}</p>
        </div>
        {session.value?.needsSetup && <Note>{w.setup.used}</Note>}
        {problem && <Failure problem={problem} />}
        <Field
          label={w.login.email}
          type="email"
          name="email"
          autocomplete="username"
          required
          value={email}
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
        <Field
          label={w.login.password}
          type="password"
          name="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" look="primary" isBusy={isBusy}>
          {w.login.submit}
        </Button>
        {oidc && (
          <>
            <p class="or soft">{w.login.or}</p>
            <ButtonLink href="/api/oidc/login" icon="key" target="_self">
              {oidc.name || w.login.oidc}
            </ButtonLink>
          </>
        )}
      </form>
      <LanguageSwitch />
    </Welcome>
  )
}
