/**
 * What was found out already, by its key: of more than `most` the oldest is forgotten. A process that answers for hours meets more names than it
 * can keep.
 */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** The value of a key, made now where it is not there. */
  once(key: K, make: () => V): V {
    const known = this.entries.get(key)
    if (known !== undefined || this.entries.has(key)) return known as V
    const made = make()
    if (this.entries.size >= this.most) this.entries.delete(this.entries.keys().next().value as K)
    this.entries.set(key, made)
    return made
  }

  delete(key: K): void {
    this.entries.delete(key)
  }
}

/**
 * What was reckoned for two objects and a key. Freed with the objects; those of a catalogue live as long as the process, so that all of it is
 * dropped once there are more than `most`, and what is still asked for is reckoned again.
 */
export class PairMemo<A extends object, B extends object, V> {
  private values = new WeakMap<A, WeakMap<B, Map<string, V>>>()
  private count = 0
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  once(a: A, b: B, key: string, make: () => V): V {
    const known = this.values.get(a)?.get(b)?.get(key)
    if (known !== undefined) return known
    const made = make()
    if (this.count >= this.most) {
      this.values = new WeakMap()
      this.count = 0
    }
    this.count += 1
    const byB = this.values.get(a) ?? new WeakMap<B, Map<string, V>>()
    this.values.set(a, byB)
    const byKey = byB.get(b) ?? new Map<string, V>()
    byB.set(b, byKey)
    byKey.set(key, made)
    return made
  }
}
