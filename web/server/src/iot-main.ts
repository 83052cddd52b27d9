/**
 * The MQTT process of the web server: a client of AWS's device SDK, which keeps a process alive, in a process of its own that
 * ends explicitly. Started by iot/iot.ts; ends when its parent's channel closes.
 */
import { type Connection, openConnection } from './iot/connection.ts'
import type { FromMqtt, ToMqtt } from './iot/messages.ts'

if (process.send === undefined) {
  console.error('Cannot start: this process is started by the web server, with a channel to it')
  process.exit(1)
}

let opened: Promise<Connection> | undefined

process.on('disconnect', () => process.exit(0))
// The parent decides when we end: a Ctrl-C goes to the whole group of processes.
process.on('SIGINT', () => {})
process.on('message', (message: ToMqtt) => {
  obey(message).catch((error: unknown) => {
    tell({ kind: 'error', text: (error as Error).message })
    process.exit(1)
  })
})

async function obey(message: ToMqtt): Promise<void> {
  if (message.kind === 'open') {
    opened = openConnection(message.settings, tell)
    await opened
    return
  }
  const connection = await opened
  if (message.kind === 'filters') connection?.setFilters(message.filters)
  else connection?.publish(message.id, message.topic, message.payload)
}

function tell(message: FromMqtt): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {})
}
