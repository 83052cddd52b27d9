import type { mqtt } from 'aws-iot-device-sdk-v2'
import type { FromMqtt, MqttSettings } from './messages.ts'

/** A connection to AWS IoT that connects again by itself. */
export type Connection = {
  setFilters(filters: readonly string[]): void
  publish(id: number, topic: string, payload: Uint8Array): void
}

const KEEP_ALIVE_S = 30
const RECONNECT_MAX_S = 16
const CONNECT_AGAIN_MS = 2_000
/** A filter that the broker has refused is asked for again after this long: a policy may have changed. */
const REFUSED_AGAIN_MS = 30_000
/** A publication that the broker has not confirmed by then has failed, for the one who waits for it. */
const PUBLISH_MS = 5_000

/**
 * Connects over MQTT 3.1.1 with mutual TLS, in a clean session: what was missed while away is read from the shadows, and no
 * subscription of an earlier page is left behind. All at QoS 1. Only for a process of its own: the SDK's native part keeps
 * a process alive (design/architecture.md), and takes tens of megabytes.
 */
export async function openConnection(
  settings: MqttSettings,
  tell: (message: FromMqtt) => void,
): Promise<Connection> {
  const { iot, mqtt } = await import('aws-iot-device-sdk-v2')
  const connection = new mqtt.MqttClient().new_connection(configOf(settings, iot))
  let wanted = new Set<string>()
  /** What the broker has; undefined while we are not connected. */
  let held: Set<string> | undefined
  /** What the broker has refused: asked for again after a while, without holding up the rest. */
  const refused = new Set<string>()
  let isLive = false
  let isSettling = false

  function onError(error: unknown): void {
    tell({ kind: 'error', text: (error as Error).message })
  }
  connection.on('error', onError)
  connection.on('message', (topic, payload) =>
    tell({ kind: 'message', topic, payload: new Uint8Array(payload) }),
  )
  connection.on('interrupt', (error) => {
    lost()
    onError(error)
  })
  connection.on('resume', (_code, isSessionPresent) => connected(isSessionPresent))

  function connected(isSessionPresent: boolean): void {
    held = isSessionPresent && held !== undefined ? held : new Set()
    settle().catch(onError)
  }

  function lost(): void {
    held = undefined
    if (isLive) tell({ kind: 'link', isLive: false })
    isLive = false
  }

  /** Brings what the broker has to what is wanted, one step at a time, until they are the same. */
  async function settle(): Promise<void> {
    if (isSettling) return
    isSettling = true
    try {
      while (held !== undefined) {
        const here = held
        const gone = [...here].find((filter) => !wanted.has(filter))
        const missing = [...wanted].find((filter) => !here.has(filter) && !refused.has(filter))
        if (gone !== undefined) {
          await connection.unsubscribe(gone)
          here.delete(gone)
        } else if (missing !== undefined) {
          const { error_code, qos } = await connection.subscribe(missing, mqtt.QoS.AtLeastOnce)
          if (error_code || qos > mqtt.QoS.AtLeastOnce) {
            refuse(missing)
            continue
          }
          here.add(missing)
          if (here === held) tell({ kind: 'subscribed', filter: missing })
        } else {
          if (!isLive) tell({ kind: 'link', isLive: true })
          isLive = true
          return
        }
      }
    } catch (error) {
      onError(error)
      setTimeout(() => settle().catch(onError), CONNECT_AGAIN_MS)
    } finally {
      isSettling = false
    }
  }

  function refuse(filter: string): void {
    onError(new Error(`Cannot subscribe: the broker refuses: ${filter}`))
    refused.add(filter)
    setTimeout(() => {
      refused.delete(filter)
      settle().catch(onError)
    }, REFUSED_AGAIN_MS)
  }

  async function connect(): Promise<void> {
    for (;;) {
      try {
        await connection.connect()
        return connected(false)
      } catch (error) {
        onError(error)
        await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS))
      }
    }
  }
  connect().catch(onError)

  return {
    setFilters(filters) {
      wanted = new Set(filters)
      settle().catch(onError)
    },
    publish(id, topic, payload) {
      if (held === undefined) {
        tell({ kind: 'published', id, error: 'AWS IoT is away' })
        return
      }
      const late = new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error('no confirmation in time')), PUBLISH_MS).unref(),
      )
      // A copy into an ArrayBuffer of its own: the SDK reads the whole buffer behind a view.
      const bytes = payload.slice().buffer
      Promise.race([connection.publish(topic, bytes, mqtt.QoS.AtLeastOnce), late]).then(
        () => tell({ kind: 'published', id }),
        (error: unknown) => tell({ kind: 'published', id, error: (error as Error).message }),
      )
    },
  }
}

type Iot = typeof import('aws-iot-device-sdk-v2').iot

function configOf(settings: MqttSettings, iot: Iot): mqtt.MqttConnectionConfig {
  const { certificate, key, authority, host, port, clientId } = settings
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(certificate, key)
  if (authority !== undefined) builder.with_certificate_authority_from_path(undefined, authority)
  builder.with_endpoint(host)
  builder.with_port(port)
  builder.with_client_id(clientId)
  builder.with_clean_session(true)
  builder.with_keep_alive_seconds(KEEP_ALIVE_S)
  builder.with_reconnect_min_sec(1)
  builder.with_reconnect_max_sec(RECONNECT_MAX_S)
  return builder.build()
}
