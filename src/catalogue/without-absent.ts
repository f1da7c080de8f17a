/** Drops the fields that hold undefined, so that what is unknown is absent in JSON and in comparisons alike. */
export function withoutAbsent<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
