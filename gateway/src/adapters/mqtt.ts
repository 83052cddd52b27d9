/** Whether messages come now; `isReset`: some may have been missed before, since the broker has no session of ours. */
export type Link = { readonly isLive: boolean; readonly isReset: boolean }

export type MqttSettings = {
  readonly host: string
  readonly port: number
  /** Paths of PEM files: our certificate, its key, and the authority that the broker is verified by. */
  readonly certificate: string
  readonly key: string
  readonly authority: string | undefined
  readonly clientId: string
  readonly topic: string
  readonly onMessage: (topic: string, payload: Uint8Array) => void
  readonly onLink: (link: Link) => void
  /** Told of every attempt that failed. It goes on trying. */
  readonly onError: (error: unknown) => void
}

export type Mqtt = { close(): Promise<void> }

const KEEP_ALIVE_S = 30
const RECONNECT_MAX_S = 16
const CONNECT_AGAIN_MS = 2_000

/**
 * Connects to AWS IoT over MQTT 3.1.1 with mutual TLS, in a session that the broker keeps while we are away, and subscribes
 * at QoS 1. The SDK is loaded only here: its native part takes tens of megabytes. Returns at once.
 */
export async function openMqtt(settings: MqttSettings): Promise<Mqtt> {
  const { host, port, certificate, key, authority, clientId, topic, onMessage, onLink } = settings
  const { iot, mqtt } = await import('aws-iot-device-sdk-v2')
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path(certificate, key)
  if (authority !== undefined) builder.with_certificate_authority_from_path(undefined, authority)
  builder.with_endpoint(host)
  builder.with_port(port)
  builder.with_client_id(clientId)
  builder.with_clean_session(false)
  builder.with_keep_alive_seconds(KEEP_ALIVE_S)
  builder.with_reconnect_min_sec(1)
  builder.with_reconnect_max_sec(RECONNECT_MAX_S)
  const connection = new mqtt.MqttClient().new_connection(builder.build())
  let isClosed = false
  const onError = (error: unknown): void => {
    if (!isClosed) settings.onError(error)
  }
  connection.on('message', (name, payload) => onMessage(name, new Uint8Array(payload)))
  connection.on('error', onError)
  connection.on('interrupt', (error) => {
    onLink({ isLive: false, isReset: false })
    onError(error)
  })
  connection.on('resume', (_code, isSessionPresent) => subscribe(!isSessionPresent).catch(onError))

  /** Also where the broker has kept the session: what was subscribed once may no longer be allowed. */
  async function subscribe(isReset: boolean): Promise<void> {
    const { error_code, qos } = await connection.subscribe(topic, mqtt.QoS.AtLeastOnce)
    if (error_code || qos > mqtt.QoS.AtLeastOnce)
      throw new Error(`Cannot subscribe: the broker refuses: ${topic}`)
    onLink({ isLive: true, isReset })
  }

  async function connect(): Promise<void> {
    while (!isClosed) {
      try {
        await connection.connect()
        // Whatever was missed since the last run of this process, nothing is remembered of it here.
        return await subscribe(true)
      } catch (error) {
        if (isClosed) return
        onError(error)
        await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS))
      }
    }
  }

  connect().catch(onError)
  return {
    close: async () => {
      isClosed = true
      await connection.disconnect().catch(() => {})
    },
  }
}
