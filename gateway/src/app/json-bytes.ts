/** Larger ones do not fit into 31 bits, in which digits are made quickly. */
const SMALL_MAX = 999_999_999

/**
 * JSON written as bytes into memory that is used again. Nearly every report goes this way: as strings, its parts would be more than
 * half of all that the gateway allocates, and what is allocated has to be collected, while devices wait.
 */
export class JsonBytes {
  #bytes = new Uint8Array(1024)
  #length = 0
  #time = Number.NaN
  #timeText = ''

  /** Forgets what was written: the memory of the last `done()` is written over. */
  begin(): void {
    this.#length = 0
  }

  /** What was written since `begin()`, as a view, which holds until the next `begin()`. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** ASCII only. */
  ascii(text: string): void {
    const end = this.#room(text.length)
    for (let at = this.#length, i = 0; at < end; at++, i++) this.#bytes[at] = text.charCodeAt(i)
    this.#length = end
  }

  /** `bytes`, which are JSON. */
  copy(bytes: Uint8Array): void {
    const end = this.#room(bytes.length)
    for (let at = this.#length, i = 0; at < end; at++, i++) this.#bytes[at] = bytes[i]!
    this.#length = end
  }

  /** A finite number, as `String` writes it, which is JSON's way too. */
  number(value: number): void {
    if (value >= 0 && value <= SMALL_MAX && Number.isInteger(value)) this.#digits(value, digitsOf(value))
    else this.ascii(`${value}`)
  }

  /** A number that many reports have in common. */
  time(value: number): void {
    if (value !== this.#time) {
      this.#time = value
      this.#timeText = `${value}`
    }
    this.ascii(this.#timeText)
  }

  #digits(value: number, count: number): void {
    const end = this.#room(count)
    for (let at = end - 1, rest = value; at >= this.#length; at--) {
      const next = (rest / 10) | 0
      this.#bytes[at] = 0x30 + rest - next * 10
      rest = next
    }
    this.#length = end
  }

  /** Makes room for so many bytes more, and returns where they end. */
  #room(count: number): number {
    const end = this.#length + count
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return end
  }
}

function digitsOf(value: number): number {
  let count = 1
  for (let least = 10; value >= least; least *= 10) count++
  return count
}
