/** Something with a point in time at which it is due. `place` belongs to the Deadlines that holds it. */
export interface Timed {
  /** Milliseconds, on the clock of `now`. */
  deadline: number
  /** Index in the heap, -1 outside. */
  place: number
}

/** Things in order of their deadlines: a binary heap. */
export class Deadlines<T extends Timed> {
  readonly #heap: T[] = []

  get count(): number {
    return this.#heap.length
  }

  /** The earliest deadline, Infinity if there is none. */
  next(): number {
    return this.#heap[0]?.deadline ?? Infinity
  }

  /** Takes out and returns the earliest thing that is due, undefined if none is. */
  due(now: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.deadline > now) return undefined
    this.remove(first)
    return first
  }

  /** The earliest thing, which stays. */
  first(): T | undefined {
    return this.#heap[0]
  }

  add(item: T, deadline: number): void {
    item.deadline = deadline
    item.place = this.#heap.length
    this.#heap.push(item)
    this.#up(item)
  }

  /** Gives a thing another deadline; adds it if it is not in. */
  move(item: T, deadline: number): void {
    this.remove(item)
    this.add(item, deadline)
  }

  remove(item: T): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    const last = this.#heap.pop()!
    if (last === item) return
    this.#put(last, place)
    this.#up(last)
    this.#down(last)
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }

  #up(item: T): void {
    let { place } = item
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1]!
      if (parent.deadline <= item.deadline) break
      this.#put(parent, place)
      place = (place - 1) >> 1
    }
    this.#put(item, place)
  }

  #down(item: T): void {
    let { place } = item
    for (;;) {
      let child = this.#heap[2 * place + 1]
      const right = this.#heap[2 * place + 2]
      if (right !== undefined && child !== undefined && right.deadline < child.deadline) child = right
      if (child === undefined || item.deadline <= child.deadline) break
      const from = child.place
      this.#put(child, place)
      place = from
    }
    this.#put(item, place)
  }
}
