/** The largest whole number from 1 to `most` for which it holds, within 2%, where it holds for all smaller ones; 0 for none. */
export function largest(most: number, holds: (value: number) => boolean, mayBeAll = false): number {
  if (!holds(1)) return 0
  if (mayBeAll && holds(most)) return most
  let [low, high] = [1, most]
  while (high - low > 1 && high / low > 1.02) {
    const middle = Math.round(Math.sqrt(low * high))
    const at = Math.min(high - 1, Math.max(low + 1, middle))
    if (holds(at)) low = at
    else high = at
  }
  return low
}
