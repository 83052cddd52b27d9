/** The account that everything local belongs to; fauxqs uses the same. */
export const ACCOUNT = '000000000000'

export type ArnKind = 'thing' | 'thingtype' | 'cert' | 'policy' | 'client' | 'topic' | 'topicfilter'

/** Makes ARNs of one region, for example `arn:aws:iot:us-east-1:000000000000:thing/bella`. */
export type MakeArn = (kind: ArnKind, id: string) => string

export function arnMaker(region: string): MakeArn {
  return (kind, id) => `arn:aws:iot:${region}:${ACCOUNT}:${kind}/${id}`
}
