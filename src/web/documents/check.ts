import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {MemoryPart} from '../../core/memory.ts'
import type {Term} from '../../core/terms.ts'
import {type CheckResult, checkResult} from '../../library/check.ts'
import {type Advice, type Answer, isYes, judge, type Result, type Standing, TIGHT_CODES} from '../../planner/answer/index.ts'
import {deploymentWords, factRows, headline, passedOverWords} from '../../render/check.ts'
import {machineTitle} from '../../render/hardware.ts'
import {harmless} from '../../render/style.ts'
import {type StartDocument, startDocument} from './start.ts'
import {type Tone, VERDICTS} from './verdicts.ts'

/** An answer as it is shown: plain data, so that it can pass from a worker to a page, and be written into a file. */
export interface CheckDocument {
  kind: 'check'
  title: string
  engine: string
  /** What `check --json` prints. */
  result: CheckResult
  /** `headline`: what is asked most, in a line; absent where no speed is told. */
  verdict: {word: string; tone: Tone; headline?: string; as: string; reasons: string[]}
  memory: {totalBytes: number; budgetBytes: number; perWhat: 'GPU' | 'socket'; terms: (Term & {part: MemoryPart})[]}
  /** Context, cache, speed, notes: each with its label. */
  facts: [string, string][]
  passedOver: string[]
  advice: Advice
  curve: CurvePoint[]
  start?: StartDocument
  /** What asks the same on a command line. */
  command: string
}

/** Speed of this deployment with so many in flight. */
export interface CurvePoint {
  users: number
  perUser: Ends
  inAll: Ends
  firstTokenMs: Ends
  /** More than run at once: the others wait. */
  waits: boolean
}

export interface Ends {
  estimate: number
  low: number
  high: number
}

/** Loads of the curve: powers of two and what lies halfway, to this many. */
const MOST_USERS = 1024

/** An answer with its advice as a document. `words`: the arguments that ask it again. */
export function checkDocument(catalogue: Catalogue, answered: Answer, advice: Advice, words: string): CheckDocument {
  const {best, machine} = answered
  const result = checkResult(catalogue, {answered})
  const first = headline(best)
  return {
    kind: 'check',
    title: `${harmless(best.model.name)} on ${machineTitle(machine)}`,
    engine: `${best.engine.title} ${harmless(best.deployment.engineVersion)}`,
    result,
    verdict: {...VERDICTS[best.verdict], ...(first !== undefined && {headline: first}), as: deploymentWords(best), reasons: reasonsOf(result)},
    memory: {
      totalBytes: best.memory.totalBytes,
      budgetBytes: best.memory.budgetBytes,
      perWhat: best.machine.gpus[0]?.accelerator.vendor === 'cpu' ? 'socket' : 'GPU',
      terms: best.memory.terms,
    },
    facts: factRows(best, result).map(([label, text]) => [label, text.replaceAll('\u00A0', ' ')]),
    passedOver: passedOverWords(answered),
    advice,
    curve: curveOf(answered),
    ...(isYes(best) && {start: startDocument(catalogue, answered)}),
    command: `servefit check ${words}`,
  }
}

/** Why it is not a plain yes. */
function reasonsOf({verdict, reasons, warnings}: Result): string[] {
  if (verdict === 'tight') return warnings.filter(({code}) => TIGHT_CODES.includes(code)).map(({message}) => harmless(message))
  return reasons.map(({message, remedy}) => harmless(verdict === 'unsupported' && remedy ? `${message}; ${remedy}` : message))
}

/** The same deployment from one user to more than it serves at once; nothing where no speed is known. */
function curveOf({best, question: {calibration}}: Answer): CurvePoint[] {
  const {workload, performance, deployment, pooling} = best
  // What embeds answers no user token by token.
  if (!workload || !performance || pooling) return []
  const points: CurvePoint[] = []
  const asked = typeof workload.concurrency === 'number' ? workload.concurrency : undefined
  const most = Math.min(MOST_USERS, 2 * Math.max(deployment.maxNumSeqs * Math.max(1, deployment.dp), asked ?? 1))
  const stood = standingOf(best)
  for (const users of loadsTo(most, asked)) {
    const load = {...workload, concurrency: users, requestRate: undefined}
    const {performance: speed, warnings} = judge(stood, {workload: load, calibration})
    if (!speed) continue
    const {tpotMs, ttftMs, outputTokensPerSecond} = speed
    const perSecond = (ms: number) => 1000 / ms
    points.push({
      users,
      perUser: {estimate: perSecond(tpotMs.estimate), low: perSecond(tpotMs.high), high: perSecond(tpotMs.low)},
      inAll: outputTokensPerSecond,
      firstTokenMs: ttftMs,
      waits: warnings.some(({code}) => code.startsWith('concurrency-exceeds')),
    })
    // From twice what runs at once on nothing changes but the wait.
    if (points.filter(({waits}) => waits).length >= 2 && users >= (asked ?? 0)) break
  }
  return points
}

/** A deployment that starts, without what was found of it under the load that was asked about: judged again, it would keep all that. */
function standingOf({performance: _speed, workload: _load, tail: _tail, pooling: _pooling, ...stood}: Answer['best']): Standing {
  return {...stood, verdict: 'fits', reasons: [], warnings: stood.warnings.filter(({code}) => !TIGHT_CODES.includes(code))}
}

function loadsTo(most: number, asked: number | undefined): number[] {
  const loads = new Set<number>([1, ...(asked === undefined ? [] : [asked])])
  for (let users = 2; users <= most; users *= 2) {
    loads.add(users)
    if (users * 1.5 <= most) loads.add(users * 1.5)
  }
  return [...loads].sort((a, b) => a - b)
}
