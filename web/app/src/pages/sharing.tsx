/** Who is at a stable, as what; who did what there; its name and zone. */
import type { Member, StableRole } from '@pesebre/contract/api/stable'
import { useEffect, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { refresh, useData } from '../data/cache.ts'
import { patch, post, remove } from '../data/client.ts'
import { now } from '../data/clock.ts'
import { chooseStable, currentStable, isOwner, readSession, roleIn, user } from '../data/session.ts'
import { useAction } from '../ui/action.ts'
import { Button, Field, IconButton, Select } from '../ui/controls.tsx'
import { Card, Dialog, Empty, Failure, Note, PageHeader, Show } from '../ui/surfaces.tsx'
import { toast } from '../ui/toast.tsx'
import { when } from '../words/format.ts'
import { language, words } from '../words/language.ts'
import { AuditList } from './audit-list.tsx'
import { LinkBox } from './link-box.tsx'
import { ZoneField } from './zone-field.tsx'

type Invited = { id: string; role: StableRole; email: string | null; expires: number }
type Members = { members: Member[]; invitations: Invited[] }
type InviteLink = { link: string; mailed: boolean }
const ROLES: readonly StableRole[] = ['owner', 'groom', 'vet']

export function SharingPage() {
  const w = words.value
  const { params } = useRoute()
  const wanted = params['stable']
  useEffect(() => {
    if (wanted !== undefined) chooseStable(wanted)
  }, [wanted])
  const stable = currentStable.value
  if (stable === undefined)
    return (
      <Empty icon="stable" title={w.stable.none}>
        {w.stable.noneHelp}
      </Empty>
    )
  const mayChange = isOwner(roleIn(stable.id))
  return (
    <>
      <PageHeader title={w.sharing.title} lead={w.sharing.intro(stable.name)} />
      <div class="columns-2">
        <People key={stable.id} stable={stable.id} mayChange={mayChange} />
        {mayChange && (
          <div class="stack wide">
            <StableCard key={stable.id} stable={stable} />
            <AuditList path={`/stables/${stable.id}/audit`} zone={stable.zone} />
          </div>
        )}
      </div>
    </>
  )
}

function People({ stable, mayChange }: { stable: string; mayChange: boolean }) {
  const w = words.value
  const path = `/stables/${stable}/members`
  const loaded = useData<Members>(path)
  const [isInviting, setInviting] = useState(false)
  const [leaving, setLeaving] = useState<Member>()
  const { problem, run } = useAction()
  const act = (work: () => Promise<unknown>) =>
    run(async () => {
      await work()
      await refresh(path)
    })
  return (
    <Card
      title={w.sharing.members}
      actions={
        mayChange && (
          <Button icon="plus" onClick={() => setInviting(true)}>
            {w.sharing.invite}
          </Button>
        )
      }
    >
      {problem && <Failure problem={problem} />}
      {!mayChange && <Note>{w.sharing.ownerOnly}</Note>}
      <Show loaded={loaded} onRetry={() => void refresh(path)}>
        {({ members, invitations }) => (
          <ul class="list people">
            {members.map((member) => (
              <li key={member.user}>
                <span class="avatar" aria-hidden="true">
                  {member.name.slice(0, 1)}
                </span>
                <span class="grow">
                  <strong>{member.name}</strong>
                  {member.user === user.value?.id && <span class="soft"> ({w.sharing.you})</span>}
                  <span class="soft small block">{member.email}</span>
                </span>
                {mayChange ? (
                  <span class="people-act">
                    <Select
                      label={`${w.sharing.role}: ${member.name}`}
                      isHidden
                      value={member.role}
                      options={ROLES.map((value) => ({ value, label: w.role[value] }))}
                      onPick={(role) => void act(() => patch(`${path}/${member.user}`, { role }))}
                    />
                    <IconButton
                      icon="bin"
                      label={`${w.sharing.remove}: ${member.name}`}
                      onClick={() => setLeaving(member)}
                    />
                  </span>
                ) : (
                  <span class="soft">{w.role[member.role]}</span>
                )}
              </li>
            ))}
            {invitations.map((invited) => (
              <li key={invited.id}>
                <span class="avatar is-invited" aria-hidden="true">
                  ?
                </span>
                <span class="grow">
                  <strong>{invited.email ?? w.sharing.pending}</strong>
                  <span class="soft small block">
                    {w.sharing.pending} · {w.role[invited.role]} ·{' '}
                    {w.invitation.until(when(language.value, invited.expires, { now: now.value }))}
                  </span>
                </span>
                <IconButton
                  icon="bin"
                  label={`${w.sharing.remove}: ${invited.email ?? w.sharing.pending}`}
                  onClick={() => void act(() => remove(`/stables/${stable}/invitations/${invited.id}`))}
                />
              </li>
            ))}
          </ul>
        )}
      </Show>
      {isInviting && <Invite path={path} onClose={() => setInviting(false)} />}
      {leaving && (
        <Dialog title={w.sharing.removeConfirm(leaving.name)} onClose={() => setLeaving(undefined)}>
          <div class="actions">
            <Button onClick={() => setLeaving(undefined)}>{w.act.cancel}</Button>
            <Button
              look="danger"
              onClick={() => {
                void act(() => remove(`${path}/${leaving.user}`))
                setLeaving(undefined)
              }}
            >
              {w.sharing.remove}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  )
}

function Invite({ path, onClose }: { path: string; onClose: () => void }) {
  const w = words.value
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<StableRole>('groom')
  const [made, setMade] = useState<InviteLink>()
  const { isBusy, problem, run } = useAction()
  async function submit(): Promise<void> {
    await run(async () => {
      const body = { role, language: language.value, ...(email !== '' && { email }) }
      setMade(await post<InviteLink>(path, body))
      await refresh(path)
    })
  }
  return (
    <Dialog title={w.sharing.invite} onClose={onClose}>
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
            label={`${w.sharing.email} (${w.act.optional})`}
            type="email"
            value={email}
            onInput={({ currentTarget }) => setEmail(currentTarget.value)}
          />
          <Select
            label={w.sharing.role}
            value={role}
            help={w.roleHelp[role]}
            options={ROLES.map((value) => ({ value, label: w.role[value] }))}
            onPick={(value) => setRole(value as StableRole)}
          />
          <div class="actions">
            <Button onClick={onClose}>{w.act.cancel}</Button>
            <Button type="submit" look="primary" isBusy={isBusy}>
              {w.sharing.invite}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}

function StableCard({ stable }: { stable: { id: string; name: string; zone: string } }) {
  const w = words.value
  const { route } = useLocation()
  const [name, setName] = useState(stable.name)
  const [zone, setZone] = useState(stable.zone)
  const [isAsking, setAsking] = useState(false)
  const { isBusy, problem, run } = useAction()
  async function save(): Promise<void> {
    const isDone = await run(async () => {
      await patch(`/stables/${stable.id}`, { name, zone })
      await readSession()
    })
    if (isDone) toast(w.act.saved)
  }
  async function end(): Promise<void> {
    const isDone = await run(async () => {
      await remove(`/stables/${stable.id}`)
      await readSession()
    })
    if (isDone) route('/', true)
    setAsking(false)
  }
  return (
    <Card title={w.sharing.settings}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save().catch(() => undefined)
        }}
      >
        {problem &&
          (problem.status === 409 ? (
            <Note tone="bad" role="alert">
              {w.sharing.hasHorses}
            </Note>
          ) : (
            <Failure problem={problem} />
          ))}
        <Field
          label={w.stable.name}
          required
          maxLength={80}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
        <ZoneField label={w.stable.zone} value={zone} onPick={setZone} />
        <div class="row spread">
          <Button type="submit" look="primary" isBusy={isBusy}>
            {w.act.save}
          </Button>
          <Button look="quiet" onClick={() => setAsking(true)}>
            {w.sharing.removeStable}
          </Button>
        </div>
      </form>
      {isAsking && (
        <Dialog title={`${w.sharing.removeStable}: ${stable.name}?`} onClose={() => setAsking(false)}>
          <div class="actions">
            <Button onClick={() => setAsking(false)}>{w.act.cancel}</Button>
            <Button look="danger" onClick={() => void end()}>
              {w.act.remove}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  )
}
