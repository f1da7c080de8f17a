/** What text is made for: a terminal, a file, or whatever COLUMNS says. */
export interface Look {
  /** Columns that sentences are broken at. */
  columns: number
  /** Columns that tables may take: without end where the output is no terminal, and with `--wide`. Absent: those of sentences. */
  tableColumns?: number
  colour: boolean
}

/** Longer lines of prose are hard to read; tables take what there is. */
const MOST_PROSE = 120
/** Of a file or a pipe. */
const USUAL_PROSE = 80
/** Less is no terminal that anyone reads in. */
const LEAST = 24

/**
 * COLUMNS is honoured, on a terminal and off it; else a terminal has its own width, and elsewhere prose is broken at the usual one and tables
 * stand as wide as they are. `wide`: tables are, whatever the terminal.
 */
export function widthsFor(
  stream: {columns?: number; isTTY?: boolean},
  environment: Record<string, string | undefined>,
  wide: boolean,
): Required<Pick<Look, 'columns' | 'tableColumns'>> {
  const asked = /^[1-9]\d{0,5}$/.test(environment.COLUMNS ?? '') ? Number(environment.COLUMNS) : undefined
  // Some pseudo-terminals know no width.
  const own = stream.isTTY && stream.columns ? stream.columns : undefined
  const width = asked ?? own ?? (stream.isTTY ? USUAL_PROSE : undefined)
  return {
    columns: Math.max(LEAST, Math.min(width ?? USUAL_PROSE, MOST_PROSE)),
    tableColumns: wide || width === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST, width),
  }
}

export const tablesOf = ({columns, tableColumns = columns}: Pick<Look, 'columns' | 'tableColumns'>): number => tableColumns
