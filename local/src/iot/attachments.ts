import type { MakeArn } from './arn.ts'
import { AwsError, invalid, notFound } from './aws-error.ts'
import type { Certificates } from './certificates.ts'
import { cutPage, type PageRequest } from './paging.ts'
import { type Policy, PolicyError, parsePolicy } from './policy.ts'
import type { Registry } from './registry.ts'
import type { Store } from './store.ts'

/** AWS General Reference, "AWS IoT Core security and identity quotas". */
const POLICY_CHARACTERS_MAX = 2048
const POLICIES_PER_TARGET_MAX = 10
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/
/** Policies have one version here: PolicyVersion actions are absent. */
const VERSION_ID = '1'

type Row = { name: string; document: string; created: number }

export type Attachments = ReturnType<typeof createAttachments>

type Options = {
  store: Store
  registry: Registry
  certificates: Certificates
  arn: MakeArn
  now: () => number
}

/**
 * Policies, and what certificates are attached to (AWS IoT API Reference: CreatePolicy, AttachPolicy,
 * AttachThingPrincipal and their kin). Principals are certificates, by ARN. Answers are API responses.
 */
export function createAttachments({ store, registry, certificates, arn, now }: Options) {
  const { db } = store
  const select = db.prepare('SELECT * FROM policies WHERE name = ?')
  const insert = db.prepare('INSERT INTO policies VALUES (?, ?, ?)')
  const list = db.prepare('SELECT * FROM policies WHERE name > ? ORDER BY name LIMIT ?')
  const remove = db.prepare('DELETE FROM policies WHERE name = ?')
  const attach = db.prepare('INSERT OR IGNORE INTO policy_targets (policy, target) VALUES (?, ?)')
  const detach = db.prepare('DELETE FROM policy_targets WHERE policy = ? AND target = ?')
  const targetsOf = db.prepare(
    'SELECT target FROM policy_targets WHERE policy = ? AND target > ? ORDER BY target LIMIT ?',
  )
  const policiesOf = db.prepare(
    'SELECT policy FROM policy_targets WHERE target = ? AND policy > ? ORDER BY policy LIMIT ?',
  )
  const documentsOf = db.prepare(
    'SELECT document FROM policy_targets JOIN policies ON name = policy WHERE target = ?',
  )
  const addPrincipal = db.prepare('INSERT OR IGNORE INTO thing_principals VALUES (?, ?)')
  const removePrincipal = db.prepare('DELETE FROM thing_principals WHERE thing = ? AND principal = ?')
  const isPrincipal = db.prepare('SELECT 1 FROM thing_principals WHERE thing = ? AND principal = ?')
  const principalsOf = db.prepare(
    'SELECT principal FROM thing_principals WHERE thing = ? AND principal > ? ORDER BY principal LIMIT ?',
  )
  const thingsOf = db.prepare(
    'SELECT thing FROM thing_principals WHERE principal = ? AND thing > ? ORDER BY thing LIMIT ?',
  )

  function get(name: string): Row {
    const row = select.get(name) as Row | undefined
    if (row === undefined) throw notFound(`Policy not found: ${name}`)
    return row
  }

  const summary = (name: string) => ({ policyName: name, policyArn: arn('policy', name) })

  return {
    createPolicy(name: string, document: unknown) {
      if (!POLICY_NAME.test(name)) throw invalid(`Invalid policy name: ${name}`)
      if (typeof document !== 'string') throw invalid(`Missing policy document: ${name}`)
      requireEvaluable(document)
      if (select.get(name) !== undefined) {
        throw new AwsError(
          'ResourceAlreadyExistsException',
          `Policy cannot be created - name already exists (name=${name})`,
          {
            resourceId: name,
            resourceArn: arn('policy', name),
          },
        )
      }
      store.change(() => insert.run(name, document, now()))
      return { ...summary(name), policyDocument: document, policyVersionId: VERSION_ID }
    },
    getPolicy(name: string) {
      const { document, created } = get(name)
      return {
        ...summary(name),
        policyDocument: document,
        defaultVersionId: VERSION_ID,
        creationDate: created / 1000,
        lastModifiedDate: created / 1000,
      }
    },
    listPolicies(request: PageRequest) {
      const rows = list.all(request.after, request.limit + 1) as Row[]
      const page = cutPage(rows, request, (row) => row.name)
      return {
        policies: page.items.map((row) => summary(row.name)),
        ...(page.next && { nextMarker: page.next }),
      }
    },
    deletePolicy(name: string) {
      get(name)
      if (targetsOf.get(name, '', 1) !== undefined) {
        throw new AwsError(
          'DeleteConflictException',
          `The policy cannot be deleted as the policy is attached to one or more principals (name=${name})`,
        )
      }
      store.change(() => remove.run(name))
      return {}
    },
    attachPolicy(name: string, target: unknown) {
      get(name)
      const principal = certificates.requireArn(target)
      const attached = policiesOf.all(principal, '', POLICIES_PER_TARGET_MAX) as { policy: string }[]
      if (attached.length >= POLICIES_PER_TARGET_MAX && !attached.some(({ policy }) => policy === name)) {
        throw new AwsError(
          'LimitExceededException',
          `A target has at most ${POLICIES_PER_TARGET_MAX} policies: ${principal}`,
        )
      }
      store.change(() => attach.run(name, principal))
      return {}
    },
    detachPolicy(name: string, target: unknown) {
      get(name)
      const principal = certificates.requireArn(target)
      store.change(() => detach.run(name, principal))
      return {}
    },
    listAttachedPolicies(target: string, request: PageRequest) {
      const principal = certificates.requireArn(target)
      const rows = policiesOf.all(principal, request.after, request.limit + 1) as { policy: string }[]
      const page = cutPage(rows, request, ({ policy }) => policy)
      return {
        policies: page.items.map(({ policy }) => summary(policy)),
        ...(page.next && { nextMarker: page.next }),
      }
    },
    listTargets(name: string, request: PageRequest) {
      get(name)
      const rows = targetsOf.all(name, request.after, request.limit + 1) as { target: string }[]
      const page = cutPage(rows, request, ({ target }) => target)
      return { targets: page.items.map(({ target }) => target), ...(page.next && { nextMarker: page.next }) }
    },
    attachPrincipal(thing: string, text: unknown) {
      registry.require(thing)
      const principal = certificates.requireArn(text)
      store.change(() => addPrincipal.run(thing, principal))
      return {}
    },
    detachPrincipal(thing: string, text: unknown) {
      registry.require(thing)
      const principal = certificates.requireArn(text)
      store.change(() => removePrincipal.run(thing, principal))
      return {}
    },
    listPrincipals(thing: string, request: PageRequest) {
      registry.require(thing)
      const rows = principalsOf.all(thing, request.after, request.limit + 1) as { principal: string }[]
      const page = cutPage(rows, request, ({ principal }) => principal)
      return {
        principals: page.items.map(({ principal }) => principal),
        ...(page.next && { nextToken: page.next }),
      }
    },
    listThings(text: unknown, request: PageRequest) {
      const principal = certificates.requireArn(text)
      const rows = thingsOf.all(principal, request.after, request.limit + 1) as { thing: string }[]
      const page = cutPage(rows, request, ({ thing }) => thing)
      return { things: page.items.map(({ thing }) => thing), ...(page.next && { nextToken: page.next }) }
    },
    isAttached: (thing: string, principal: string) => isPrincipal.get(thing, principal) !== undefined,
    /** Everything that is attached to a principal, parsed. */
    policiesFor(principal: string): Policy[] {
      return (documentsOf.all(principal) as { document: string }[]).map(({ document }) =>
        parsePolicy(document),
      )
    },
  }
}

function requireEvaluable(document: string): void {
  if (document.replace(/\s/g, '').length > POLICY_CHARACTERS_MAX) {
    throw new AwsError(
      'MalformedPolicyException',
      `Policy document has more than ${POLICY_CHARACTERS_MAX} characters without white space`,
    )
  }
  try {
    parsePolicy(document)
  } catch (error) {
    if (error instanceof PolicyError) throw new AwsError('MalformedPolicyException', error.message)
    throw error
  }
}
