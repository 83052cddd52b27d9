const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Bytes of an entry around its body, generously. */
const ENTRY_OVERHEAD = 40

/**
 * The payload of a SendMessageBatch call in AWS JSON 1.0, entry ids counting from 0.
 *
 * Each body must be JSON without line breaks, as UTF-8: then its quotes and backslashes are all that a JSON string around it
 * has to escape, and nothing has to become a JavaScript string on the way.
 */
export function sendBatchPayload(queueUrl: string, bodies: readonly Buffer[]): Buffer {
  const head = `{"QueueUrl":${JSON.stringify(queueUrl)},"Entries":[`
  const most = bodies.reduce((sum, body) => sum + 2 * body.length + ENTRY_OVERHEAD, head.length * 3 + 2)
  const into = Buffer.allocUnsafe(most)
  let at = into.write(head)
  for (const [i, body] of bodies.entries()) {
    at += into.write(`${i === 0 ? '' : ','}{"Id":"${i}","MessageBody":"`, at)
    at = writeEscaped(body, into, at)
    at += into.write('"}', at)
  }
  at += into.write(']}', at)
  return into.subarray(0, at)
}

function writeEscaped(body: Uint8Array, into: Uint8Array, start: number): number {
  let at = start
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!
    if (byte === QUOTE || byte === BACKSLASH) into[at++] = BACKSLASH
    into[at++] = byte
  }
  return at
}
