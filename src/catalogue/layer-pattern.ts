/** More layers than any model has; a pattern that unfolds to more is a slip. */
const MAX_LAYERS = 2000

/**
 * The layers that a compact pattern stands for, first to last: `(linear x3, full) x16` is 64 layers. Parts are separated by
 * commas, `xN` repeats the part before it, brackets group.
 *
 * @throws SyntaxError saying what was expected and where.
 */
export function parseLayerPattern(pattern: string): string[] {
  const tokens = pattern.match(/[(),]|x\d+\b|[a-z][a-z0-9+.-]*|\S/g) ?? []
  let at = 0
  let depth = 0
  const sequence = (): string[] => {
    const layers: string[] = []
    for (;;) {
      layers.push(...part())
      if (layers.length > MAX_LAYERS) throw new SyntaxError(`more than ${MAX_LAYERS} layers`)
      if (tokens[at] !== ',') return layers
      at++
    }
  }
  const part = (): string[] => {
    const token = tokens[at++]
    let layers: string[]
    if (token === '(') {
      if (++depth > 8) throw new SyntaxError('brackets nested deeper than 8')
      layers = sequence()
      if (tokens[at++] !== ')') throw new SyntaxError('expected a closing bracket')
      depth--
    } else if (token !== undefined && /^[a-z]/.test(token) && !/^x\d+$/.test(token)) layers = [token]
    else throw new SyntaxError(`expected the name of a layer kind or an opening bracket, found ${token === undefined ? 'the end' : `"${token}"`}`)
    const times = /^x(\d+)$/.exec(tokens[at] ?? '')?.[1]
    if (times === undefined) return layers
    at++
    const count = Number(times)
    if (count < 1 || count * layers.length > MAX_LAYERS) throw new SyntaxError(`${count} repetitions; expected 1 to ${MAX_LAYERS} layers in total`)
    return Array.from({length: count}, () => layers).flat()
  }
  const layers = sequence()
  if (at < tokens.length) throw new SyntaxError(`"${tokens[at]}" was not expected there`)
  return layers
}

/** Above this many layers only neighbours are counted together: looking for the shortest text takes their number cubed. */
const MAX_SEARCHED = 256

/** The shortest pattern for a sequence of layers that repetition and grouping give; the inverse of `parseLayerPattern`. */
export function formatLayerPattern(layers: readonly string[]): string {
  const count = layers.length
  if (count === 0) return ''
  if (count > MAX_SEARCHED) return runs(layers)
  // best[length][from]: shortest text for that stretch, and whether it is one part or a list of parts.
  const best: Array<Array<{text: string; parts: number}>> = [[]]
  for (let length = 1; length <= count; length++) {
    best[length] = []
    for (let from = 0; from + length <= count; from++) best[length]![from] = shortest(layers, best, from, length)
  }
  return best[count]![0]!.text
}

function runs(layers: readonly string[]): string {
  const counted: Array<{name: string; times: number}> = []
  for (const name of layers) {
    const last = counted.at(-1)
    if (last?.name === name) last.times++
    else counted.push({name, times: 1})
  }
  return counted.map(({name, times}) => (times === 1 ? name : `${name} x${times}`)).join(', ')
}

function shortest(layers: readonly string[], best: Array<Array<{text: string; parts: number}>>, from: number, length: number): {text: string; parts: number} {
  if (length === 1) return {text: layers[from]!, parts: 1}
  let winner: {text: string; parts: number} | undefined
  const consider = (text: string, parts: number) => {
    if (!winner || text.length < winner.text.length) winner = {text, parts}
  }
  const period = smallestPeriod(layers, from, length)
  if (period < length) {
    const unit = best[period]![from]!
    consider(`${unit.parts === 1 && !/ x\d+$/.test(unit.text) ? unit.text : `(${unit.text})`} x${length / period}`, 1)
  }
  for (let left = 1; left < length; left++) {
    const [a, b] = [best[left]![from]!, best[length - left]![from + left]!]
    if (!winner || a.text.length + b.text.length + 2 < winner.text.length) consider(`${a.text}, ${b.text}`, a.parts + b.parts)
  }
  return winner!
}

/** Smallest length that divides the stretch and repeats throughout it. */
function smallestPeriod(layers: readonly string[], from: number, length: number): number {
  for (let period = 1; period <= length / 2; period++) {
    if (length % period !== 0) continue
    let repeats = true
    for (let i = from + period; i < from + length && repeats; i++) repeats = layers[i] === layers[i - period]
    if (repeats) return period
  }
  return length
}

/** `0-2, 60` for the numbers 0, 1, 2 and 60. */
export function formatLayerRanges(layers: readonly number[]): string {
  const sorted = [...new Set(layers)].sort((a, b) => a - b)
  const ranges: Array<[number, number]> = []
  for (const layer of sorted) {
    const last = ranges.at(-1)
    if (last && last[1] === layer - 1) last[1] = layer
    else ranges.push([layer, layer])
  }
  return ranges.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(',')
}

/** @throws SyntaxError for anything but numbers and ranges separated by commas. */
export function parseLayerRanges(ranges: string): number[] {
  return ranges.split(',').flatMap((part) => {
    const match = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part)
    if (!match) throw new SyntaxError(`"${part.trim()}" is not a layer or a range; expected such as 0-2,60`)
    const low = Number(match[1])
    const high = Number(match[2] ?? match[1])
    if (high < low) throw new SyntaxError(`the range ${part.trim()} runs backwards`)
    return Array.from({length: high - low + 1}, (_, i) => low + i)
  })
}
