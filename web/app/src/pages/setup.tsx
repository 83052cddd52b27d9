import type { Session } from '@pesebre/contract/api/session'
import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { post } from '../data/client.ts'
import { takeSession } from '../data/session.ts'
import { LanguageSwitch } from '../shell/language-switch.tsx'
import { Welcome } from '../shell/splash.tsx'
import { useAction } from '../ui/action.ts'
import { Button, Field } from '../ui/controls.tsx'
import { Failure, Note } from '../ui/surfaces.tsx'
import { language, words } from '../words/language.ts'

/** Makes the first admin, with the token behind `#`, which is in no server's log. */
export function SetupPage() {
  const w = words.value
  const { route } = useLocation()
  const [form, setForm] = useState({ name: '', email: '', password: '' })
  const { isBusy, problem, run } = useAction()
  const token = location.hash.slice(1)
  useEffect(() => {
    document.title = `${w.setup.title} · Pesebre`
  }, [w])
  const take = (name: keyof typeof form) => (event: { currentTarget: HTMLInputElement }) =>
    setForm({ ...form, [name]: event.currentTarget.value })
  async function submit(): Promise<void> {
    const isDone = await run(async () =>
      takeSession(await post<Session>('/setup', { token, ...form, language: language.value })),
    )
    if (isDone) route('/', true)
  }
  return (
    <Welcome>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          submit().catch(() => undefined)
        }}
      >
        <div class="stack close">
          <h1>{w.setup.title}</h1>
          <p class="soft">{w.setup.intro}</p>
        </div>
        {(token === '' || problem?.kind === 'link-used') && <Note tone="warn">{w.setup.used}</Note>}
        {problem && problem.kind !== 'link-used' && <Failure problem={problem} />}
        <Field
          label={w.setup.name}
          autocomplete="name"
          required
          maxLength={80}
          value={form.name}
          onInput={take('name')}
        />
        <Field
          label={w.login.email}
          type="email"
          autocomplete="username"
          required
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
        <Button type="submit" look="primary" isBusy={isBusy} disabled={token === ''}>
          {w.setup.submit}
        </Button>
      </form>
      <LanguageSwitch />
    </Welcome>
  )
}
