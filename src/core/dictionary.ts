/**
 * A table that is looked up by words, of ours and of strangers: it has the keys that are given and no others. A plain object also answers to
 * `constructor`, `toString` and `__proto__`, and takes an assignment to the last for another prototype. Every table by string is made here
 * (test/dictionaries.test.ts).
 */
export const dictionary = <T>(entries: Readonly<Record<string, T>> = {}): Record<string, T> => Object.assign(Object.create(null), entries)

/** The value of a key that an object has itself: for what was read from JSON, whose objects have a prototype. */
export const own = <T>(entries: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined
