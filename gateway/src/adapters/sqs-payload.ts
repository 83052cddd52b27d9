const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Bytes of an entry around its body, generously. */
const ENTRY_OVERHEAD = 40

/** Bytes that the payload of a call may take, at most. */
export function payloadMax(queueUrl: string, bodies: readonly Buffer[]): number {
  return bodies.reduce((sum, body) => sum + 2 * body.length + ENTRY_OVERHEAD, headOf(queueUrl).length * 3 + 2)
}

/**
 * Writes the payload of a SendMessageBatch call in AWS JSON 1.0 into `into`, entry ids counting from 0, and returns that part of
 * it. There must be `payloadMax` bytes of room.
 *
 * Each body must be JSON without line breaks, as UTF-8: then its quotes and backslashes are all that a JSON string around it
 * has to escape, and nothing has to become a JavaScript string on the way.
 */
export function sendBatchPayload(queueUrl: string, bodies: readonly Buffer[], into: Buffer): Buffer {
  let at = into.write(headOf(queueUrl))
  for (const [i, body] of bodies.entries()) {
    at += into.write(`${i === 0 ? '' : ','}{"Id":"${i}","MessageBody":"`, at)
    at = writeEscaped(body, into, at)
    at += into.write('"}', at)
  }
  at += into.write(']}', at)
  return into.subarray(0, at)
}

function headOf(queueUrl: string): string {
  return `{"QueueUrl":${JSON.stringify(queueUrl)},"Entries":[`
}

function writeEscaped(body: Buffer, into: Buffer, start: number): number {
  const { length } = body
  let at = start
  for (let i = 0; i < length; i++) {
    const byte = body[i]!
    if (byte === QUOTE || byte === BACKSLASH) into[at++] = BACKSLASH
    into[at++] = byte
  }
  return at
}
