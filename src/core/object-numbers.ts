/** A number for each object, the same as long as it lives: for keys under which something is remembered of several objects at once. */
export class ObjectNumbers {
  private readonly numbers = new WeakMap<object, number>()
  private count = 0

  of(value: object): number {
    const known = this.numbers.get(value)
    if (known !== undefined) return known
    this.count += 1
    this.numbers.set(value, this.count)
    return this.count
  }
}
