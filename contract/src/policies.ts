/**
 * What each client of AWS IoT over MQTT may do: one policy per kind, bound to its thing by policy variables (AWS IoT
 * Developer Guide, "Thing policy variables"). Terraform makes the same ones on AWS; the web server only attaches them.
 */

/** Names of the policies; on AWS a prefix may stand before them. */
export const POLICIES = {
  gateway: 'pesebre-gateway',
  web: 'pesebre-web',
  camera: 'pesebre-camera',
  feeder: 'pesebre-feeder',
} as const
export type PolicyKind = keyof typeof POLICIES

/** The thing, and the client id, of the web server, unless it is told another (PESEBRE_WEB_THING): on AWS each installation has its own. */
export const WEB_THING = 'pesebre-web'

const THING = `\${iot:Connection.Thing.ThingName}`
const CONTROL = 'shadow/name/control/update/documents'

type Statement = { readonly Effect: 'Allow'; readonly Action: string; readonly Resource: readonly string[] }
export type PolicyDocument = { readonly Version: '2012-10-17'; readonly Statement: readonly Statement[] }

/** Resources after the beginning of an ARN, by action. Everybody may connect as its own thing only. */
const ALLOWED: Readonly<Record<PolicyKind, Readonly<Record<string, readonly string[]>>>> = {
  gateway: {
    Subscribe: [`topicfilter/$aws/things/+/${CONTROL}`],
    Receive: [`topic/$aws/things/*/${CONTROL}`],
  },
  web: {
    Subscribe: [
      `topicfilter/$aws/things/+/${CONTROL}`,
      'topicfilter/$aws/things/*/shadow/update/documents',
      'topicfilter/cameras/*/events',
      'topicfilter/feeders/*/events',
      'topicfilter/$aws/events/presence/*',
    ],
    Receive: [
      `topic/$aws/things/*/${CONTROL}`,
      'topic/$aws/things/*/shadow/update/documents',
      'topic/cameras/*/events',
      'topic/feeders/*/events',
      'topic/$aws/events/presence/*',
    ],
    Publish: ['topic/cameras/*/commands', 'topic/feeders/*/commands'],
  },
  camera: device('cameras'),
  feeder: device('feeders'),
}

/** A device says what happens, hears what it shall do, and may keep its own shadow. */
function device(family: string): Record<string, readonly string[]> {
  return {
    Subscribe: [`topicfilter/${family}/${THING}/commands`],
    Receive: [`topic/${family}/${THING}/commands`],
    Publish: [`topic/${family}/${THING}/events`, `topic/$aws/things/${THING}/shadow/update`],
  }
}

/** The policy of a kind of client, for every account of a region. */
export function policyDocument(kind: PolicyKind, region: string): PolicyDocument {
  const allow = (action: string, resources: readonly string[]): Statement => ({
    Effect: 'Allow',
    Action: `iot:${action}`,
    Resource: resources.map((resource) => `arn:aws:iot:${region}:*:${resource}`),
  })
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Connect', [`client/${THING}`]),
      ...Object.entries(ALLOWED[kind]).map(([action, resources]) => allow(action, resources)),
    ],
  }
}
