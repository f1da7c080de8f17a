import {type Random, randomOf} from '../../core/simulator/random.ts'

/** What broke, and what is needed to see it break again. */
export interface Finding {
  what: string
  /** The command, line or file that shows it. */
  reproduce: string
}

/** Findings of one kind that are shown in full. */
const SHOWN = 3
/** Of what reproduces a finding. */
const SHOWN_CHARACTERS = 4000

/** One part's attack: where its numbers come from, how long it may go on, and what it tells. */
export class Assault {
  readonly root: string
  readonly part: string
  readonly seed: number
  private until: number
  private readonly counts = new Map<string, number>()
  private readonly kinds = new Map<string, number>()
  private readonly worst = new Map<string, number>()

  constructor({root, part, seed, seconds}: {root: string; part: string; seed: number; seconds: number}) {
    this.root = root
    this.part = part
    this.seed = seed
    this.until = performance.now() + seconds * 1000
  }

  /** A share of the time that is left for the work inside; then the rest goes on. */
  async during(share: number, work: () => Promise<void>): Promise<void> {
    const {until} = this
    const now = performance.now()
    this.until = now + Math.max(0, until - now) * share
    try {
      await work()
    } finally {
      this.until = until
    }
  }

  get secondsLeft(): number {
    return Math.max(0, (this.until - performance.now()) / 1000)
  }

  get isOver(): boolean {
    return performance.now() >= this.until
  }

  /** The numbers of one try: the same under the same seed, whatever came before. */
  random(number: number): Random {
    return randomOf(this.seed, number)
  }

  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }

  /** The largest value seen of a quantity, for the summary. */
  measure(what: string, value: number): void {
    this.worst.set(what, Math.max(this.worst.get(what) ?? 0, value))
  }

  found({what, reproduce}: Finding): void {
    const kind = what.replaceAll(/-?\d[\d.,e+]*/g, '#').slice(0, 200)
    const told = (this.kinds.get(kind) ?? 0) + 1
    this.kinds.set(kind, told)
    if (told > SHOWN) return
    const shown = reproduce.length > SHOWN_CHARACTERS ? `${reproduce.slice(0, SHOWN_CHARACTERS)} ... (${reproduce.length} characters)` : reproduce
    console.error(`FOUND ${this.part}: ${printable(what.slice(0, 1000))}\n  ${printable(shown)}`)
  }

  get findings(): number {
    return [...this.kinds.values()].reduce((sum, times) => sum + times, 0)
  }

  /** One line for the end. */
  summary(): string {
    const counts = [...this.counts].map(([what, times]) => `${times.toLocaleString('en-US')} ${what}`)
    const worst = [...this.worst].map(([what, value]) => `${what} ${Math.round(value).toLocaleString('en-US')}`)
    const findings = this.findings === 0 ? 'no finding' : `${this.findings} findings of ${this.kinds.size} kinds`
    return `${this.part.padEnd(10)} ${findings}; ${[...counts, ...worst].join(', ')}`
  }
}

/** Everything that is no plain character by its number, as JSON has it: what reproduces a finding is to be copied. */
export const printable = (text: string): string =>
  text.replaceAll(
    /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2066-\u2069\uD800-\uDFFF\uFEFF]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )

export interface Part {
  name: string
  /** Of the time; 0: it runs beside the others, all the time. */
  share: number
  run(assault: Assault): Promise<void>
}

export const chance = (random: Random, probability: number): boolean => random.uniform() < probability
export const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)]!
export const whole = (random: Random, least: number, most: number): number => least + Math.floor(random.uniform() * (most - least + 1))
