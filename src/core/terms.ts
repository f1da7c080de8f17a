/** One line of an estimate: a total is the sum of its terms and nothing more. */
export interface Term {
  name: string
  bytes: number
  /** exact: follows from published figures; derived: by a stated rule; measured: fitted to logs; assumed: a default. */
  kind: 'exact' | 'derived' | 'measured' | 'assumed'
  /** The rule with the numbers that went in, in one line. */
  because: string
}

export const sumBytes = (terms: readonly Term[]): number => terms.reduce((total, term) => total + term.bytes, 0)

/** A reason for "no", with the way forward. */
export interface Reason {
  code: string
  message: string
  remedy?: string
}

export interface Warning {
  code: string
  message: string
}

export interface Interval {
  estimate: number
  low: number
  high: number
}
