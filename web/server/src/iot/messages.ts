/** What the web server and its MQTT process say to each other over their process channel (structured clone). */

/** Where AWS IoT is, and who we are there. */
export type MqttSettings = {
  readonly host: string
  readonly port: number
  /** Paths of PEM files: our certificate, its key, and the authority that the broker is verified by (absent: Amazon's). */
  readonly certificate: string
  readonly key: string
  readonly authority: string | undefined
  /** Also the thing name: the policy lets a client be its own thing only. */
  readonly clientId: string
}

/** Parent to child. The first is `open`. */
export type ToMqtt =
  | { readonly kind: 'open'; readonly settings: MqttSettings }
  /** What is subscribed from now on, all of it. */
  | { readonly kind: 'filters'; readonly filters: readonly string[] }
  | { readonly kind: 'publish'; readonly id: number; readonly topic: string; readonly payload: Uint8Array }

/** Child to parent. */
export type FromMqtt =
  /** Connected, and everything that was wanted is subscribed: some messages may have been missed before. Or not. */
  | { readonly kind: 'link'; readonly isLive: boolean }
  /** This filter's messages come from now on. */
  | { readonly kind: 'subscribed'; readonly filter: string }
  | { readonly kind: 'message'; readonly topic: string; readonly payload: Uint8Array }
  /** The broker has it; or why not. */
  | { readonly kind: 'published'; readonly id: number; readonly error?: string }
  | { readonly kind: 'error'; readonly text: string }
