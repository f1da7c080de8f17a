const NOBODY = -1

/** Requests that hold cache, in the order of their admission: a doubly linked list, so that anyone can leave at once. */
export class RunningList {
  size = 0
  /** The one admitted last; -1 for none. */
  newest = NOBODY
  readonly #before: Int32Array
  readonly #after: Int32Array

  constructor(count: number) {
    this.#before = new Int32Array(count)
    this.#after = new Int32Array(count)
  }

  append(id: number): void {
    this.#before[id] = this.newest
    this.#after[id] = NOBODY
    if (this.newest !== NOBODY) this.#after[this.newest] = id
    this.newest = id
    this.size += 1
  }

  remove(id: number): void {
    const before = this.#before[id]!
    const after = this.#after[id]!
    if (before !== NOBODY) this.#after[before] = after
    if (after !== NOBODY) this.#before[after] = before
    else this.newest = before
    this.size -= 1
  }
}
