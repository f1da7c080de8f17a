/** A range of NVIDIA compute capabilities, both ends inside. */
export type CapabilityRange = [from: number, to: number]

export const within = (ranges: readonly CapabilityRange[], capability: number): boolean => ranges.some(([from, to]) => capability >= from && capability <= to)

/** Ends of a range that stand for every card of its generation, whatever comes after the point. */
const LAST = 0.89

/** `7.5 or later`, `9.0 to 10.x, or 12.0`. */
export const capabilitiesInWords = (ranges: readonly CapabilityRange[]): string =>
  ranges.map(([from, to]) => (to >= 12.9 && from < 12 ? `${from.toFixed(1)} or later` : rangeInWords(from, to))).join(', or ')

function rangeInWords(from: number, to: number): string {
  const whole = to - Math.floor(to) >= LAST
  const end = whole ? `${Math.floor(to)}.x` : to.toFixed(1)
  if (Math.floor(from) === Math.floor(to) && whole && from === Math.floor(from)) return end
  return from === to ? end : `${from.toFixed(1)} to ${end}`
}
