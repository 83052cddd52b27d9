/** Everybody with an account. */
import type { SystemRole, UserRow } from '@pesebre/contract/api/user'
import { useState } from 'preact/hooks'
import { refresh, useData } from '../data/cache.ts'
import { patch, post } from '../data/client.ts'
import { user } from '../data/session.ts'
import { AuditList } from '../pages/audit-list.tsx'
import { LinkBox } from '../pages/link-box.tsx'
import { useAction } from '../ui/action.ts'
import { Button, Field, Select } from '../ui/controls.tsx'
import { Card, Dialog, Failure, Note, PageHeader, Show, Tag } from '../ui/surfaces.tsx'
import { Ago } from '../ui/time.tsx'
import { words } from '../words/language.ts'
import { AdminTabs } from './tabs.tsx'
import { adminWords } from './words.ts'
import './admin.css'

const PATH = '/users'

export function PeoplePage() {
  const a = adminWords.value
  const loaded = useData<UserRow[]>(PATH)
  const [isInviting, setInviting] = useState(false)
  return (
    <>
      <AdminTabs />
      <PageHeader
        title={a.people.title}
        lead={a.people.lead}
        actions={
          <Button look="primary" icon="plus" onClick={() => setInviting(true)}>
            {a.people.invite}
          </Button>
        }
      />
      <div class="columns-2">
        <Card>
          <Show loaded={loaded} onRetry={() => void refresh(PATH)}>
            {(users) => (
              <ul class="list people">
                {users.map((row) => (
                  <Row key={row.id} row={row} />
                ))}
              </ul>
            )}
          </Show>
        </Card>
        <AuditList path="/audit" />
      </div>
      {isInviting && <Invite onClose={() => setInviting(false)} />}
    </>
  )
}

function Row({ row }: { row: UserRow }) {
  const a = adminWords.value
  const w = words.value
  const { id, name, email, role, disabledAt, seenAt, stables } = row
  const { isBusy, problem, run } = useAction()
  const isMe = id === user.value?.id
  const act = (body: object) =>
    run(async () => {
      await patch(`/users/${id}`, body)
      await refresh(PATH)
    })
  return (
    <li>
      <span class="avatar" aria-hidden="true">
        {name.slice(0, 1)}
      </span>
      <span class="grow">
        <strong>{name}</strong>
        {isMe && <span class="soft"> ({w.sharing.you})</span>}{' '}
        {disabledAt !== null && <Tag>{a.people.locked}</Tag>}
        <span class="soft small block">{email}</span>
        <span class="soft small block">
          {a.people.seen}: {seenAt === null ? a.people.never : <Ago at={seenAt} />}
          {stables.length > 0 && ` · ${stables.map((stable) => stable.name).join(', ')}`}
        </span>
        {problem && <Failure problem={problem} />}
      </span>
      <span class="people-act">
        <Select
          label={`${a.people.role}: ${name}`}
          isHidden
          value={role}
          disabled={isMe}
          options={(['user', 'admin'] as SystemRole[]).map((value) => ({ value, label: w.role[value] }))}
          onPick={(value) => void act({ role: value })}
        />
        <Button disabled={isMe} isBusy={isBusy} onClick={() => void act({ disabled: disabledAt === null })}>
          {disabledAt === null ? a.people.disable : a.people.enable}
        </Button>
      </span>
    </li>
  )
}

function Invite({ onClose }: { onClose: () => void }) {
  const a = adminWords.value
  const w = words.value
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<SystemRole>('user')
  const [made, setMade] = useState<{ link: string; mailed: boolean }>()
  const { isBusy, problem, run } = useAction()
  async function submit(): Promise<void> {
    await run(async () => setMade(await post('/users', { email, role })))
    await refresh(PATH)
  }
  return (
    <Dialog title={a.people.invite} onClose={onClose}>
      {made ? (
        <div class="stack">
          {made.mailed && <Note tone="good">{w.sharing.sent(email)}</Note>}
          <LinkBox label={w.sharing.link} link={made.link} />
          <div class="actions">
            <Button look="primary" onClick={onClose}>
              {w.act.done}
            </Button>
          </div>
        </div>
      ) : (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            submit().catch(() => undefined)
          }}
        >
          {problem && <Failure problem={problem} />}
          <Field
            label={w.login.email}
            type="email"
            required
            value={email}
            onInput={({ currentTarget }) => setEmail(currentTarget.value)}
          />
          <Select
            label={a.people.role}
            value={role}
            options={(['user', 'admin'] as SystemRole[]).map((value) => ({ value, label: w.role[value] }))}
            onPick={(value) => setRole(value as SystemRole)}
          />
          <div class="actions">
            <Button onClick={onClose}>{w.act.cancel}</Button>
            <Button type="submit" look="primary" isBusy={isBusy}>
              {a.people.invite}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}
