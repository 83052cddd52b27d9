/** About oneself: language, look, name, password, and the way out. */
import type { User } from '@pesebre/contract/api/user'
import type { Language } from '@pesebre/contract/api/values'
import { useState } from 'preact/hooks'
import { patch } from '../data/client.ts'
import { readSession, signOut, user } from '../data/session.ts'
import { setTheme, type Theme, theme } from '../data/theme.ts'
import { useAction } from '../ui/action.ts'
import { Button, ButtonLink, Choice, Field } from '../ui/controls.tsx'
import { Card, Failure, PageHeader } from '../ui/surfaces.tsx'
import { toast } from '../ui/toast.tsx'
import { language, speak, words } from '../words/language.ts'

export function AccountPage() {
  const w = words.value
  const leaving = useAction()
  const me = user.value
  if (me === null) return null
  return (
    <>
      <PageHeader
        title={w.account.title}
        lead={`${me.email} · ${w.role[me.role]}`}
        actions={
          <Button icon="leave" isBusy={leaving.isBusy} onClick={() => void leaving.run(signOut)}>
            {w.login.signOut}
          </Button>
        }
      />
      {leaving.problem && <Failure problem={leaving.problem} />}
      <div class="columns-2">
        <div class="stack wide">
          <Look />
          <Card title={w.notify.title}>
            <p class="soft small">{w.notify.intro}</p>
            <div>
              <ButtonLink href="/account/notifications" icon="bell">
                {w.notify.choose}
              </ButtonLink>
            </div>
          </Card>
          <Card title={w.account.install}>
            <p class="soft small">{w.account.installHelp}</p>
          </Card>
        </div>
        <div class="stack wide">
          <About me={me} />
          {me.hasPassword && <Password />}
        </div>
      </div>
    </>
  )
}

function Look() {
  const w = words.value
  const { problem, run } = useAction()
  return (
    <Card>
      <Choice<Language>
        label={w.account.language}
        isLabelShown
        value={language.value}
        options={[
          { value: 'es', label: 'Español' },
          { value: 'en', label: 'English' },
        ]}
        onPick={(chosen) => {
          speak(chosen)
          void run(async () => {
            await patch<User>('/me', { language: chosen })
            await readSession()
          })
        }}
      />
      {problem && <Failure problem={problem} />}
      <Choice<Theme>
        label={w.account.theme}
        isLabelShown
        value={theme.value}
        options={[
          { value: 'auto', label: w.account.themeAuto },
          { value: 'light', label: w.account.themeLight },
          { value: 'dark', label: w.account.themeDark },
        ]}
        onPick={setTheme}
      />
    </Card>
  )
}

function About({ me }: { me: User }) {
  const w = words.value
  const [name, setName] = useState(me.name)
  const { isBusy, problem, run } = useAction()
  async function save(): Promise<void> {
    const isDone = await run(async () => {
      await patch<User>('/me', { name })
      await readSession()
    })
    if (isDone) toast(w.act.saved)
  }
  return (
    <Card title={w.account.me}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save().catch(() => undefined)
        }}
      >
        {problem && <Failure problem={problem} />}
        <Field
          label={w.account.name}
          autocomplete="name"
          required
          maxLength={80}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        <div>
          <Button type="submit" isBusy={isBusy} disabled={name.trim() === '' || name === me.name}>
            {w.act.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function Password() {
  const w = words.value
  const [oldPassword, setOld] = useState('')
  const [password, setNew] = useState('')
  const { isBusy, problem, run } = useAction()
  async function save(): Promise<void> {
    const isDone = await run(async () => {
      await patch<User>('/me', { oldPassword, password })
      await readSession()
    })
    if (!isDone) return
    setOld('')
    setNew('')
    toast(w.account.passwordChanged)
  }
  return (
    <Card title={w.account.password}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save().catch(() => undefined)
        }}
      >
        {problem && <Failure problem={problem} />}
        <input
          class="visually-hidden"
          type="text"
          autocomplete="username"
          value={user.value?.email}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <Field
          label={w.account.oldPassword}
          type="password"
          autocomplete="current-password"
          required
          value={oldPassword}
          onInput={({ currentTarget }) => setOld(currentTarget.value)}
        />
        <Field
          label={w.account.newPassword}
          help={w.setup.passwordHelp}
          type="password"
          autocomplete="new-password"
          required
          minLength={10}
          value={password}
          onInput={({ currentTarget }) => setNew(currentTarget.value)}
        />
        <div>
          <Button type="submit" isBusy={isBusy}>
            {w.account.changePassword}
          </Button>
        </div>
      </form>
    </Card>
  )
}
