import type { Message } from '../../codec/message.ts'
import { hex } from '../messaging/keys.ts'
import type { MessageFields } from '../security.ts'
import type { OpenCall } from './call.ts'
import type { Contents } from './outgoing-body.ts'

/** The message of a call as it goes out. Undefined when it has to be protected and cannot be. */
export function seal(call: OpenCall, contents: Contents): MessageFields | undefined {
  const { token, options, payload } = contents
  const { method: code, security } = call.request
  if (security === undefined) return { code, options, payload }
  const sealed = security.protect({ code, options, payload })
  if (token === call.token) call.sealed = sealed
  else call.fetchSealed = sealed
  call.contents = contents
  return sealed?.request
}

/** What was inside a message for a protected call, or why it is none; for another call, the message itself. */
export function unseal(call: OpenCall, message: Message): Message | 'again' | 'refused' | 'unprotected' {
  if (call.request.security === undefined) return message
  const sealed = hex(message.token) === hex(call.token) ? call.sealed : call.fetchSealed
  const opened = sealed?.open(message) ?? { kind: 'refused' }
  if (opened.kind === 'opened') {
    call.challenges = 0
    return { ...message, ...opened.response }
  }
  // An observation that stands is not ended by what anyone can have sent.
  return opened.kind === 'unprotected' && call.isObserving ? 'refused' : opened.kind
}
