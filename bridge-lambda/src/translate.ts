import { LINK_KEY } from '@pesebre/contract/limits'
import { type Batch, BatchSchema, type Report, ReportSchema } from '@pesebre/contract/report'
import { Compile } from 'typebox/compile'
import type { Taken } from './fold.ts'
import { unwritable } from './json.ts'
import { elementTexts } from './verbatim.ts'

const batchSchema = Compile(BatchSchema)
const reportSchema = Compile(ReportSchema)

/** One SQS message. */
export type Message = { readonly id: string; readonly body: string }

/** A report, and where it stood, so that it can be set aside word for word. */
export type Item = Taken & { readonly message: Message; readonly index: number }

/** Something that will never become a shadow: the body that goes to the dead-letter queue, and why. */
export type Poison = { readonly message: Message; readonly body: string; readonly reason: string }

/** What a message holds. Each poison record stands alone; the others are not harmed by it. */
export function translate(message: Message): { items: Item[]; poison: Poison[] } {
  let batch: unknown
  try {
    batch = JSON.parse(message.body)
  } catch (error) {
    return spoiled(message, `Read batch as JSON: ${(error as Error).message}`)
  }
  if (!batchSchema.Check(batch)) return spoiled(message, `Read batch: ${firstOf(batchSchema.Errors(batch))}`)
  const items: Item[] = []
  const poison: Poison[] = []
  for (const [index, record] of batch.records.entries()) {
    const reason = problemOf(record)
    if (reason !== undefined) poison.push(poisonOf({ message, index }, reason))
    else items.push({ report: record as Report, gateway: batch.gateway, message, index })
  }
  return { items, poison }
}

/**
 * Sets one record aside. The body is a batch of that record alone, its text unchanged:
 * once what was wrong is mended, it can be put back on the queue as it is.
 */
export function poisonOf({ message, index }: Pick<Item, 'message' | 'index'>, reason: string): Poison {
  const { v, gateway, batch, records }: Batch = JSON.parse(message.body)
  if (records.length === 1) return { message, body: message.body, reason }
  const head = JSON.stringify({ v, gateway, batch }).slice(0, -1)
  return { message, body: `${head},"records":[${elementTexts(message.body, 'records')[index]}]}`, reason }
}

/** Why this record can never be written, or undefined. */
function problemOf(record: unknown): string | undefined {
  if (!reportSchema.Check(record)) return `Read record: ${firstOf(reportSchema.Errors(record))}`
  const state = record.state
  if (state === undefined) return undefined
  if (Object.hasOwn(state, LINK_KEY)) return `Read record: key not allowed in state: ${LINK_KEY}`
  const problem = unwritable(state, '/state')
  return problem && `Read record: ${problem}`
}

function spoiled(message: Message, reason: string): { items: Item[]; poison: Poison[] } {
  return { items: [], poison: [{ message, body: message.body, reason }] }
}

function firstOf(errors: { instancePath: string; keyword: string; message: string }[]): string {
  const first = errors[0]
  if (first === undefined) return 'does not fit the contract'
  // The schema library says "schema is false" of a key that additionalProperties does not let in.
  return `${first.instancePath || '/'} ${first.keyword === 'boolean' ? 'is not in the contract' : first.message}`
}
