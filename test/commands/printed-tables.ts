/** Tables of printed text, cell by cell, for tests. */

export type Cells = Record<string, string>

/** Words between gaps of two blanks or more, with where they stand. */
const wordsOf = (line: string) => [...line.matchAll(/\S+(?: \S+)*/g)].map((match) => ({word: match[0], start: match.index, end: match.index + match[0].length}))

/** Rows of the first table whose first title is this one: a cell begins or ends where its title does. */
export function printedTable(text: string, firstTitle: string): Cells[] {
  const lines = text.split('\n')
  const head = lines.findIndex((line) => wordsOf(line)[0]?.word === firstTitle && wordsOf(line).length > 1)
  if (head < 0) throw new Error(`no table of ${firstTitle} in\n${text}`)
  const titles = wordsOf(lines[head]!)
  const rows: Cells[] = []
  for (const line of lines.slice(head + 1)) {
    if (line.trim() === '') break
    const row: Cells = {}
    for (const {word, start, end} of wordsOf(line)) {
      const title = titles.find((own) => own.start === start || own.end === end)
      // A first column without a title.
      if (!title && start < titles[0]!.start) continue
      if (!title) throw new Error(`"${word}" stands under no title in\n${lines[head]}\n${line}`)
      row[title.word] = word
    }
    rows.push(row)
  }
  return rows
}

const SIZES: Record<string, number> = {ms: 1, s: 1000, min: 60_000, h: 3_600_000, M: 1e6, B: 1e9, T: 1e12, '%': 0.01}

/** The number of a cell in the unit of the JSON, and half of its last digit. */
export function printedNumber(cell: string): {value: number; half: number} {
  const [, sign = '', figure = '', unit = ''] = /^([-+]?)([\d,]*\.?\d+) ?(ms|s|min|h|[MBT]|%)?(?: .*)?$/.exec(cell.replace(/[.,]$/, '')) ?? []
  if (figure === '') throw new Error(`no number: ${cell}`)
  const size = SIZES[unit] ?? 1
  const decimals = figure.split('.')[1]?.length ?? 0
  return {value: Number(`${sign}${figure.replaceAll(',', '')}`) * size, half: 0.5 * 10 ** -decimals * size}
}
