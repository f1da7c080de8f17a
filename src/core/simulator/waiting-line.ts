/** Requests that are not running: first come, first served, but those that were preempted go to the front, the last of them foremost. */
export class WaitingLine {
  readonly #line: Int32Array
  #from = 0
  #to = 0
  readonly #preempted: number[] = []

  constructor(count: number) {
    this.#line = new Int32Array(count)
  }

  get size(): number {
    return this.#to - this.#from + this.#preempted.length
  }

  /** Who is next; -1 for nobody. */
  get head(): number {
    if (this.#preempted.length > 0) return this.#preempted[this.#preempted.length - 1]!
    return this.#from < this.#to ? this.#line[this.#from]! : -1
  }

  /** Each request joins once. */
  join(id: number): void {
    this.#line[this.#to++] = id
  }

  goToFront(id: number): void {
    this.#preempted.push(id)
  }

  takeHead(): void {
    if (this.#preempted.length > 0) this.#preempted.pop()
    else this.#from += 1
  }
}
