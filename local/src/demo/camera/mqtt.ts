import type { CameraKit } from './registration.ts'

export type MqttOptions = CameraKit & {
  readonly topic: string
  readonly onMessage: (payload: Uint8Array) => void
  /** Connected and subscribed: each time. */
  readonly onReady: () => void
  readonly onError: (error: Error) => void
}

export type Mqtt = { publish(topic: string, message: object): void }

const KEEP_ALIVE_S = 30
const RECONNECT_MAX_S = 16
const CONNECT_AGAIN_MS = 2_000

/**
 * Connects as a camera does: MQTT 3.1.1 with mutual TLS, QoS 1, no session, since commands that wait are of no use to anybody.
 * The SDK keeps the process alive: only for a process of its own. Returns at once, and goes on trying.
 */
export async function openMqtt(options: MqttOptions): Promise<Mqtt> {
  const { host, port, thing, topic, certificate, key, authority, onMessage, onReady, onError } = options
  const { iot, mqtt } = await import('aws-iot-device-sdk-v2')
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(certificate, key)
  builder.with_certificate_authority(authority)
  builder.with_endpoint(host)
  builder.with_port(port)
  builder.with_client_id(thing)
  builder.with_clean_session(true)
  builder.with_keep_alive_seconds(KEEP_ALIVE_S)
  builder.with_reconnect_min_sec(1)
  builder.with_reconnect_max_sec(RECONNECT_MAX_S)
  const connection = new mqtt.MqttClient().new_connection(builder.build())
  connection.on('message', (_topic, payload) => onMessage(new Uint8Array(payload)))
  connection.on('error', onError)
  connection.on('interrupt', onError)
  connection.on('resume', () => void subscribe().catch(onError))

  async function subscribe(): Promise<void> {
    const { error_code, qos } = await connection.subscribe(topic, mqtt.QoS.AtLeastOnce)
    if (error_code || qos > mqtt.QoS.AtLeastOnce)
      throw new Error(`Cannot subscribe: the broker refuses: ${topic}`)
    onReady()
  }

  async function connect(): Promise<void> {
    for (;;) {
      try {
        await connection.connect()
        return await subscribe()
      } catch (error) {
        onError(error as Error)
        await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS))
      }
    }
  }

  void connect()
  return {
    publish(name, message) {
      connection.publish(name, JSON.stringify(message), mqtt.QoS.AtLeastOnce).catch(onError)
    },
  }
}
