/**
 * The longest context, from 0 to `limit` tokens, that `starts` says yes to. `guess` is what arithmetic gives at once: it is right
 * wherever the room does not depend on the length itself. Where a shorter context leaves more room, the border is searched for.
 * Does not hold for a `starts` that says yes again behind a no.
 */
export function longestStart(guess: number, limit: number, starts: (tokens: number) => boolean): number {
  const first = Math.min(limit, guess)
  let low = 0
  let high = limit + 1
  if (first > 0 && starts(first)) {
    if (first === limit || !starts(first + 1)) return first
    low = first + 1
  } else if (first > 0) high = first
  // Nothing at all is the usual no.
  if (low === 0 && high > 1 && !starts(1)) return 0
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (starts(middle)) low = middle
    else high = middle
  }
  return low
}
