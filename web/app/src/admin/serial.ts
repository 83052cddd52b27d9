/** Writes firmware to an ESP32 over Web Serial (esptool-js, loaded when somebody flashes). Chromium browsers on a computer only. */
import type { Part } from './firmware.ts'

/** What a port is to us: the types of Web Serial are not in TypeScript's DOM library. */
type SerialNavigator = Navigator & { serial: { requestPort(): Promise<never> } }

export const hasSerial = (): boolean => 'serial' in navigator

const BAUD = 115_200

/**
 * Asks for a port, finds the chip, and writes what `partsFor` gives for it.
 * @param partsFor undefined: there is nothing for this chip
 * @returns the name of the chip, and whether something was written
 */
export async function flash(
  partsFor: (chip: string) => Promise<{ part: Part; data: Uint8Array }[] | undefined>,
  onProgress: (share: number) => void,
): Promise<{ chip: string; isWritten: boolean }> {
  // First of all: the browser shows its chooser only right after a press.
  const port = await (navigator as SerialNavigator).serial.requestPort()
  const { ESPLoader, Transport } = await import('esptool-js')
  const transport = new Transport(port)
  try {
    const loader = new ESPLoader({ transport, baudrate: BAUD, romBaudrate: BAUD })
    const chip = await loader.main()
    const parts = await partsFor(chip)
    if (parts === undefined) return { chip, isWritten: false }
    const total = parts.reduce((sum, { data }) => sum + data.length, 0)
    await loader.writeFlash({
      fileArray: parts.map(({ part, data }) => ({ data, address: part.offset })),
      flashMode: 'keep',
      flashFreq: 'keep',
      flashSize: 'keep',
      eraseAll: false,
      compress: true,
      reportProgress(index, written, size) {
        // `written` counts compressed bytes of this file.
        const before = parts.slice(0, index).reduce((sum, { data }) => sum + data.length, 0)
        onProgress((before + (written / size) * (parts[index]?.data.length ?? 0)) / total)
      },
    })
    await loader.after('hard_reset')
    return { chip, isWritten: true }
  } finally {
    await transport.disconnect()
  }
}
