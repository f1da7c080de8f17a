/** Numbers with a time each, the earliest first and the one put in first among equals: a binary heap. */
export class EventQueue {
  #times: number[] = []
  #orders: number[] = []
  #values: number[] = []
  #count = 0

  get size(): number {
    return this.#times.length
  }

  /** Time of the earliest; Infinity when empty. */
  get next(): number {
    return this.#times.length > 0 ? this.#times[0]! : Infinity
  }

  push(time: number, value: number): void {
    let at = this.#times.length
    this.#times.push(time)
    this.#orders.push(this.#count++)
    this.#values.push(value)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#before(at, above)) break
      this.#swap(at, above)
      at = above
    }
  }

  /** Takes the earliest out; -1 when empty. */
  pop(): number {
    const last = this.#times.length - 1
    if (last < 0) return -1
    const value = this.#values[0]!
    this.#swap(0, last)
    this.#times.pop()
    this.#orders.pop()
    this.#values.pop()
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      if (left >= last) break
      const right = left + 1
      const least = right < last && this.#before(right, left) ? right : left
      if (!this.#before(least, at)) break
      this.#swap(at, least)
      at = least
    }
    return value
  }

  #before(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!)
  }

  #swap(a: number, b: number): void {
    const [time, order, value] = [this.#times[a]!, this.#orders[a]!, this.#values[a]!]
    this.#times[a] = this.#times[b]!
    this.#orders[a] = this.#orders[b]!
    this.#values[a] = this.#values[b]!
    this.#times[b] = time
    this.#orders[b] = order
    this.#values[b] = value
  }
}
