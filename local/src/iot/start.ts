import { createAdmission } from './admission.ts'
import { arnMaker } from './arn.ts'
import { createAttachments } from './attachments.ts'
import { type Broker, startBroker } from './broker.ts'
import { openAuthority } from './ca.ts'
import { createCertificates } from './certificates.ts'
import { createAuthorizer } from './connection.ts'
import { serveRest } from './http.ts'
import { createRegistry } from './registry.ts'
import { restRoutes } from './rest.ts'
import { createRetained } from './retained.ts'
import { createSessions } from './sessions.ts'
import { createShadows } from './shadows.ts'
import { openStore } from './store.ts'
import { createThingTypes } from './thing-types.ts'

/** MQTT over TLS; AWS's endpoints name no port, since it is this one. */
const MQTT_STANDARD_PORT = 8883

export type IotOptions = {
  /** Where everything is kept: the SQLite file, the certificate authority. */
  readonly dir: string
  /** 0 takes any free port. */
  readonly restPort: number
  readonly mqttPort: number
  /** Default 127.0.0.1, for which the server's certificate is made. */
  readonly host?: string
  /** Part of ARNs, default us-east-1. */
  readonly region?: string
  /** Milliseconds since 1970, default Date.now. */
  readonly now?: () => number
  /** Told of failures that no caller caused, default: nothing. */
  readonly onError?: (error: Error) => void
}

export type Iot = {
  readonly restPort: number
  readonly mqttPort: number
  /** Certificate that MQTT clients trust. */
  readonly caFile: string
  close(): Promise<void>
}

/**
 * Starts the local AWS IoT: registry, certificates, policies, shadows and Publish over REST, and the MQTT broker.
 * It answers over REST only when MQTT listens, too.
 * @throws Error with `code` EADDRINUSE and `port` when a port is taken
 */
export async function startIot(options: IotOptions): Promise<Iot> {
  const { dir, host = '127.0.0.1', now = Date.now, onError = () => {} } = options
  const arn = arnMaker(options.region ?? 'us-east-1')
  const store = openStore(dir)
  let broker: Broker | undefined
  let closing: Promise<void> | undefined
  try {
    const authority = await openAuthority(dir)
    const types = createThingTypes({ store, arn, now })
    const registry = createRegistry({ store, types, arn })
    const onInactive = (id: string) => broker?.disconnect(id)
    const certificates = createCertificates({ store, authority, arn, now, onInactive })
    const attachments = createAttachments({ store, registry, certificates, arn, now })
    const retained = createRetained({ store, now })
    const sessions = createSessions({ store, retained, now })
    const shadows = createShadows({
      store,
      now,
      publish(topic, text) {
        if (broker?.wants(topic))
          broker.publish({ topic, payload: Buffer.from(text()), qos: 1, retain: false })
      },
    })
    const isPermitted = createAuthorizer({ store, registry, attachments, arn })
    broker = await startBroker({
      host,
      port: options.mqttPort,
      authority,
      certificates,
      admission: createAdmission({ isPermitted, shadows, retained }),
      sessions,
      arn,
      now,
      onError,
    })
    const mqtt = broker
    const endpoint = () => (mqtt.port === MQTT_STANDARD_PORT ? host : `${host}:${mqtt.port}`)
    const routes = restRoutes({
      types,
      registry,
      certificates,
      attachments,
      shadows,
      retained,
      endpoint,
      publish: mqtt.publish,
    })
    const rest = await serveRest(routes, { host, port: options.restPort, onError })
    return {
      restPort: rest.port,
      mqttPort: mqtt.port,
      caFile: authority.caFile,
      close() {
        closing ??= stop()
        return closing
      },
    }

    async function stop(): Promise<void> {
      await rest.close()
      await mqtt.close()
      store.close()
    }
  } catch (error) {
    await broker?.close()
    store.close()
    throw error
  }
}
