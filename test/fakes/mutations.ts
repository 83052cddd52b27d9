/** Broken input, made from good input. The same numbers make the same input. */

/** Bytes at which a decoder of CBOR turns: lengths, indefinite lengths, breaks, tags, floats, the ends of UTF-8. */
const TURNS = [
  0, 1, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x3b, 0x40, 0x5b, 0x5f, 0x60, 0x61, 0x7b, 0x7f, 0x80, 0x81,
].concat([
  0x9b, 0x9f, 0xa0, 0xa1, 0xbb, 0xbf, 0xc0, 0xd9, 0xdb, 0xe0, 0xf4, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff,
])

/** A small generator (mulberry32), so that a find can be made again from the seed alone. */
export function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** One of the seeds, changed in one to four places. */
export function mutate(seeds: readonly Uint8Array[], draw: (below: number) => number): Buffer {
  let made = Buffer.from(seeds[draw(seeds.length)]!)
  for (let step = draw(4); step >= 0; step--) {
    const at = draw(made.length + 1)
    const turn = TURNS[draw(TURNS.length)]!
    switch (draw(7)) {
      case 0:
        if (at < made.length) made[at]! ^= 1 << draw(8)
        break
      case 1:
        if (at < made.length) made[at] = turn
        break
      case 2:
        made = Buffer.concat([made.subarray(0, at), Buffer.of(turn), made.subarray(at)])
        break
      case 3:
        made = Buffer.concat([made.subarray(0, at), made.subarray(at + 1 + draw(4))])
        break
      case 4:
        made = made.subarray(0, at)
        break
      case 5: {
        const again = made.subarray(at, at + 1 + draw(16))
        made = Buffer.concat([made.subarray(0, at), again, made.subarray(at)])
        break
      }
      default: {
        const other = seeds[draw(seeds.length)]!
        made = Buffer.concat([made.subarray(0, at), other.subarray(draw(other.length + 1))])
      }
    }
  }
  return made
}
