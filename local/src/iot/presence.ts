import type { Connection, DisconnectReason } from './connection.ts'

/**
 * The message that a client came or went (Developer Guide, "Lifecycle events").
 * @param at milliseconds since 1970
 * @param byClient whether the client said that it goes
 * @returns undefined for client ids that have no lifecycle events
 */
export function presenceMessage(
  event: 'connected' | 'disconnected',
  connection: Connection,
  { at, byClient }: { readonly at: number; readonly byClient: boolean },
): { readonly topic: string; readonly payload: Buffer } | undefined {
  const { clientId } = connection
  if (/[#+]/.test(clientId)) return undefined
  const reason: DisconnectReason = byClient
    ? 'CLIENT_INITIATED_DISCONNECT'
    : (connection.endReason ?? 'CONNECTION_LOST')
  const body = {
    clientId,
    timestamp: at,
    eventType: event,
    sessionIdentifier: connection.sessionId,
    principalIdentifier: connection.certificateId,
    ...(event === 'connected'
      ? { ipAddress: connection.address }
      : {
          clientInitiatedDisconnect: byClient,
          disconnectReason: reason,
        }),
    versionNumber: connection.number,
  }
  return { topic: `$aws/events/presence/${event}/${clientId}`, payload: Buffer.from(JSON.stringify(body)) }
}
