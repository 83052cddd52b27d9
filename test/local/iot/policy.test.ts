import t from 'tap'
import { bindPolicies, isAllowed, parsePolicy } from '../../../local/src/iot/policy.ts'

const ARN = 'arn:aws:iot:us-east-1:000000000000:'
const VARIABLES = new Map<string, readonly string[]>([
  ['iot:ClientId', ['camera-1']],
  ['iot:Connection.Thing.ThingName', ['camera-1']],
  ['iot:Connection.Thing.IsAttached', ['true']],
  ['iot:Connection.Thing.Attributes[stable]', ['north']],
  ['iot:ConnectAttributes', ['PersistentConnect']],
])

type Statement = { Effect: string; Action: unknown; Resource: unknown; Condition?: unknown }
const allow = (Action: unknown, Resource: unknown, Condition?: unknown): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition !== undefined && { Condition }),
})
const deny = (Action: unknown, Resource: unknown): Statement => ({ Effect: 'Deny', Action, Resource })

const CASES: [what: string, statements: Statement[], action: string, resource: string, allowed: boolean][] = [
  ['nothing is allowed by default', [], 'iot:Connect', 'client/a', false],
  ['a plain resource', [allow('iot:Connect', `${ARN}client/a`)], 'iot:Connect', 'client/a', true],
  ['another resource', [allow('iot:Connect', `${ARN}client/a`)], 'iot:Connect', 'client/ab', false],
  ['another action', [allow('iot:Connect', '*')], 'iot:Publish', 'topic/a', false],
  [
    'lists',
    [allow(['iot:Connect', 'iot:Publish'], [`${ARN}topic/x`, `${ARN}topic/y`])],
    'iot:Publish',
    'topic/y',
    true,
  ],
  ['any action', [allow('iot:*', '*')], 'iot:Receive', 'topic/a', true],
  ['every action', [allow('*', '*')], 'iot:Receive', 'topic/a', true],
  ['the case of an action does not count', [allow('iot:publish', '*')], 'iot:Publish', 'topic/a', true],
  ['the case of a resource does', [allow('iot:Publish', `${ARN}topic/a`)], 'iot:Publish', 'topic/A', false],
  ['* crosses levels', [allow('iot:Publish', `${ARN}topic/a/*/c`)], 'iot:Publish', 'topic/a/b/b/c', true],
  ['* is also nothing', [allow('iot:Publish', `${ARN}topic/a*`)], 'iot:Publish', 'topic/a', true],
  ['? is one character', [allow('iot:Publish', `${ARN}topic/a?`)], 'iot:Publish', 'topic/ab', true],
  ['? is not none', [allow('iot:Publish', `${ARN}topic/a?`)], 'iot:Publish', 'topic/a', false],
  [
    '+ and # are plain',
    [allow('iot:Subscribe', `${ARN}topicfilter/a/+/#`)],
    'iot:Subscribe',
    'topicfilter/a/+/#',
    true,
  ],
  [
    '+ is no wildcard',
    [allow('iot:Subscribe', `${ARN}topicfilter/a/+`)],
    'iot:Subscribe',
    'topicfilter/a/b',
    false,
  ],
  ['a dot is a dot', [allow('iot:Publish', `${ARN}topic/a.c`)], 'iot:Publish', 'topic/abc', false],
  [
    'another account',
    [allow('iot:Publish', 'arn:aws:iot:us-east-1:111111111111:topic/a')],
    'iot:Publish',
    'topic/a',
    false,
  ],
  [
    'deny wins, after',
    [allow('iot:*', '*'), deny('iot:Publish', `${ARN}topic/a/*`)],
    'iot:Publish',
    'topic/a/b',
    false,
  ],
  [
    'deny wins, before',
    [deny('iot:Publish', `${ARN}topic/a/*`), allow('iot:*', '*')],
    'iot:Publish',
    'topic/a/b',
    false,
  ],
  [
    'deny leaves the rest',
    [allow('iot:*', '*'), deny('iot:Publish', `${ARN}topic/a/*`)],
    'iot:Publish',
    'topic/b',
    true,
  ],
  [
    'client id',
    [allow('iot:Connect', `${ARN}client/\${iot:ClientId}`)],
    'iot:Connect',
    'client/camera-1',
    true,
  ],
  [
    'not another client id',
    [allow('iot:Connect', `${ARN}client/\${iot:ClientId}`)],
    'iot:Connect',
    'client/camera-2',
    false,
  ],
  [
    'thing name inside a topic',
    [allow('iot:Publish', `${ARN}topic/cameras/\${iot:Connection.Thing.ThingName}/events`)],
    'iot:Publish',
    'topic/cameras/camera-1/events',
    true,
  ],
  [
    'thing attribute',
    [allow('iot:Publish', `${ARN}topic/\${iot:Connection.Thing.Attributes[stable]}`)],
    'iot:Publish',
    'topic/north',
    true,
  ],
  [
    'a variable without a value matches nothing',
    [allow('iot:Publish', `${ARN}topic/\${iot:Nothing}*`)],
    'iot:Publish',
    'topic/a',
    false,
  ],
  ['an escaped star', [allow('iot:Publish', `${ARN}topic/\${*}`)], 'iot:Publish', 'topic/*', true],
  [
    'an escaped star is no wildcard',
    [allow('iot:Publish', `${ARN}topic/\${*}`)],
    'iot:Publish',
    'topic/a',
    false,
  ],
  [
    'Bool holds',
    [allow('iot:Connect', '*', { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } })],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'Bool fails',
    [allow('iot:Connect', '*', { Bool: { 'iot:Connection.Thing.IsAttached': 'false' } })],
    'iot:Connect',
    'client/a',
    false,
  ],
  [
    'StringEquals is exact',
    [allow('iot:Connect', '*', { StringEquals: { 'iot:ClientId': 'camera-*' } })],
    'iot:Connect',
    'client/a',
    false,
  ],
  [
    'StringLike has wildcards',
    [allow('iot:Connect', '*', { StringLike: { 'iot:ClientId': 'camera-*' } })],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'StringNotEquals',
    [allow('iot:Connect', '*', { StringNotEquals: { 'iot:ClientId': 'x' } })],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'a key that is absent fails',
    [allow('iot:Connect', '*', { StringEquals: { 'iot:Nothing': 'x' } })],
    'iot:Connect',
    'client/a',
    false,
  ],
  [
    'IfExists lets it pass',
    [allow('iot:Connect', '*', { StringEqualsIfExists: { 'iot:Nothing': 'x' } })],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'a variable in a condition',
    [
      allow('iot:Connect', '*', {
        StringEquals: { 'iot:ClientId': ['x', `\${iot:Connection.Thing.ThingName}`] },
      }),
    ],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'ForAllValues: all are listed',
    [
      allow('iot:Connect', '*', {
        'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['LastWill', 'PersistentConnect'] },
      }),
    ],
    'iot:Connect',
    'client/a',
    true,
  ],
  [
    'ForAllValues: one is not listed',
    [allow('iot:Connect', '*', { 'ForAllValues:StringEquals': { 'iot:ConnectAttributes': [] } })],
    'iot:Connect',
    'client/a',
    false,
  ],
  [
    'ForAnyValue',
    [
      allow('iot:Connect', '*', {
        'ForAnyValue:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect'] },
      }),
    ],
    'iot:Connect',
    'client/a',
    true,
  ],
]

for (const [what, Statement, action, resource, allowed] of CASES) {
  t.test(`isAllowed: ${what}`, async (t) => {
    const policy = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement }))
    t.equal(isAllowed(bindPolicies([policy], VARIABLES), action, ARN + resource), allowed)
  })
}

t.test('isAllowed: a Deny in one policy wins over an Allow in another', async (t) => {
  const one = parsePolicy(JSON.stringify({ Statement: allow('iot:*', '*') }))
  const other = parsePolicy(JSON.stringify({ Statement: deny('iot:Publish', '*') }))
  for (const policies of [
    [one, other],
    [other, one],
  ]) {
    const bound = bindPolicies(policies, VARIABLES)
    t.equal(isAllowed(bound, 'iot:Publish', `${ARN}topic/a`), false)
    t.equal(isAllowed(bound, 'iot:Connect', `${ARN}client/a`), true)
  }
})

t.test('isAllowed: what a client brings is never a wildcard', async (t) => {
  const policy = parsePolicy(
    JSON.stringify({ Statement: allow('iot:Publish', `${ARN}topic/\${iot:ClientId}`) }),
  )
  const bound = bindPolicies([policy], new Map([['iot:ClientId', ['*']]]))
  t.equal(isAllowed(bound, 'iot:Publish', `${ARN}topic/anything`), false)
  t.equal(isAllowed(bound, 'iot:Publish', `${ARN}topic/*`), true)
})

const MALFORMED: [what: string, document: unknown][] = [
  ['no object', []],
  ['no statement', { Version: '2012-10-17' }],
  ['unknown version', { Version: '2020-01-01', Statement: [] }],
  ['no effect', { Statement: { Action: 'iot:*', Resource: '*' } }],
  ['an effect of its own', { Statement: { Effect: 'Maybe', Action: 'iot:*', Resource: '*' } }],
  ['no action', { Statement: { Effect: 'Allow', Resource: '*' } }],
  ['no resource', { Statement: { Effect: 'Allow', Action: 'iot:*' } }],
  ['an action of another service', { Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
  ['a resource that is no ARN', { Statement: { Effect: 'Allow', Action: 'iot:*', Resource: 'topic/a' } }],
  ['NotAction', { Statement: { Effect: 'Allow', NotAction: 'iot:*', Resource: '*' } }],
  [
    'an operator that is not evaluated',
    { Statement: allow('iot:*', '*', { DateLessThan: { 'aws:CurrentTime': 'x' } }) },
  ],
]

for (const [what, document] of MALFORMED) {
  t.test(`parsePolicy: refuses ${what}`, async (t) => {
    t.throws(() => parsePolicy(JSON.stringify(document)), { name: 'PolicyError' })
  })
}

t.test('parsePolicy: refuses what is not JSON', async (t) => {
  t.throws(() => parsePolicy('{'), { name: 'PolicyError' })
})
