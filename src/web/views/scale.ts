/** Places on the axis of a chart. */

/** Round numbers from 0 to at least `most`, about `about` of them. */
export function ticksTo(most: number, about = 5): number[] {
  if (!(most > 0)) return [0]
  const rough = most / about
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((times) => times * unit).find((size) => size >= rough) ?? rough
  const count = Math.ceil(most / step - 1e-9)
  return Array.from({length: count + 1}, (_, index) => Number((index * step).toPrecision(12)))
}

/** Powers of two from `least` to `most`, thinned to at most `about`. */
export function powersOfTwo(least: number, most: number, about = 6): number[] {
  const first = Math.floor(Math.log2(Math.max(1, least)))
  const last = Math.ceil(Math.log2(Math.max(2, most)))
  const every = Math.max(1, Math.ceil((last - first + 1) / about))
  const ticks: number[] = []
  for (let power = first; power <= last; power += every) ticks.push(2 ** power)
  return ticks
}
