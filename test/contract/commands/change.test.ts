import { type ControlPorts, changeControl, TRIES_MAX } from '@pesebre/contract/commands/change'
import { give } from '@pesebre/contract/commands/rules'
import { readControl } from '@pesebre/contract/control'
import t from 'tap'
import { merge } from '../../fakes/iot-shadows.ts'

const NOW = 1_795_000_000_000

/** One shadow under AWS's rules, with as many writers as there are tests for. */
function createShadow(desired: Record<string, unknown> | undefined) {
  const shadow = { document: desired && { desired, version: 1 }, writes: 0 }
  const ports: ControlPorts = {
    read: async () => {
      const { document } = shadow
      return document && structuredClone({ state: { desired: document.desired }, version: document.version })
    },
    write: async (_thing, patch, version) => {
      shadow.writes++
      if (version !== shadow.document?.version) return false
      const merged = merge(shadow.document?.desired ?? {}, patch as Record<string, unknown>, false)
      shadow.document = { desired: JSON.parse(JSON.stringify(merged)), version: (version ?? 0) + 1 }
      return true
    },
    sleep: async () => {},
    random: () => 0.5,
  }
  return { shadow, ports }
}

t.test('changeControl: of many givers at once one is granted, the others see it', async (t) => {
  const { shadow, ports } = createShadow({ enabled: true })
  const wish = { kind: 'feed', grams: 1, by: 'x', notAfter: NOW / 1000 + 60 } as const
  const changes = await Promise.all(
    Array.from({ length: 8 }, () =>
      changeControl(ports, 'a', (control) => wishIn(give(control, wish, { now: NOW }))),
    ),
  )
  t.same(
    changes.filter(({ change }) => change.ok).map(({ change }) => change.ok && change.command.n),
    [1],
  )
  t.match(
    changes.filter(({ change }) => !change.ok).map(({ change }) => change),
    Array.from({ length: 7 }, () => ({ refusal: { reason: 'open', n: 1 } })),
  )
  t.equal(shadow.document?.version, 2)
})

t.test('changeControl: removes what is gone, at any depth, and keeps what it does not know', async (t) => {
  const { shadow, ports } = createShadow({
    enabled: true,
    name: 'Bella',
    theirs: 1,
    config: { version: 1, zone: 'Europe/Madrid', limits: { portion: 5, gap_s: 60 } },
  })
  await changeControl(ports, 'a', () => ({
    desired: { enabled: true, queue: [], config: { version: 2, limits: { gap_s: 60 } } },
  }))
  t.same(shadow.document?.desired, {
    enabled: true,
    theirs: 1,
    queue: [],
    config: { version: 2, limits: { gap_s: 60 } },
  })
  t.same(readControl({ desired: shadow.document?.desired }).desired.config, {
    version: 2,
    limits: { gap_s: 60 },
  })
})

t.test(
  'changeControl: no write where nothing changes, none at all for a refusal, and an end to it',
  async (t) => {
    const { shadow, ports } = createShadow(undefined)
    await changeControl(ports, 'a', (_, exists) => {
      t.notOk(exists)
      return { desired: undefined }
    })
    t.equal(shadow.writes, 0)
    await changeControl(ports, 'a', () => ({ desired: { enabled: true, queue: [] } }))
    await changeControl(ports, 'a', ({ desired }) => ({ desired }))
    t.equal(shadow.writes, 1)
    const busy = { ...ports, write: async () => false }
    await t.rejects(
      changeControl(busy, 'a', () => ({ desired: { enabled: false, queue: [] } })),
      { message: `Change control of a: others were faster ${TRIES_MAX} times` },
    )
  },
)

function wishIn(change: ReturnType<typeof give>) {
  return { desired: change.ok ? change.desired : undefined, change }
}
