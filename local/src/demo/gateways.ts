/** A gateway as a device knows it. */
export type Gateway = {
  /** Its id: part of the keys that the two of them have (OSCORE ID Context). */
  readonly id: string
  readonly host: string
  readonly port: number
}

/** Which gateway a device speaks to: it begins at its number mod n, keeps one that answers, and leaves one that does not. */
export type GatewayChoice = {
  /** For this exchange. */
  current(): Gateway
  /** No verified answer came: the next exchange goes to the next one. */
  failed(): void
}

/** @param gateways at least one */
export function chooseGateway(gateways: readonly Gateway[], deviceNumber: number): GatewayChoice {
  let at = deviceNumber % gateways.length
  return {
    current: () => gateways[at]!,
    failed: () => {
      at = (at + 1) % gateways.length
    },
  }
}
