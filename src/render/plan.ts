import {commandLines} from './command-lines.ts'
import {
  type DraftingOption,
  endToEndMs,
  type Floor,
  type PlanPoint,
  type RankedPlan,
  type Reach,
  reached,
  isOverloaded,
  type Refusal,
} from '../planner/plan/index.ts'
import {usersInWords} from '../core/words.ts'
import {hasLimits} from '../planner/answer/index.ts'
import type {Objective, Objectives} from '../planner/scenario/index.ts'
import {draftingWords} from './drafting.ts'
import {layoutLetters} from './layout.ts'
import {type Look, tablesOf} from './look.ts'
import {count, duration, durationBeside, inOneUnit, rate, tokens} from './numbers.ts'
import {deploymentWords} from './check.ts'
import {chart} from './plan-chart.ts'
import {scoresOf} from './quality.ts'
import {harmless, type Paint, paint, padEnd, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

export interface PlanPicture {
  title: string
  /** Ranked, the best load of each deployment. */
  ranking: RankedPlan[]
  /** A plan keeps what was asked for. */
  met: boolean
  /** Neither load nor limits were given: those by which the load was chosen. */
  interactive?: Objectives
  mostThroughput?: PlanPoint
  /** The best by the objective alone, of a build that loses more. */
  passedOver?: PlanPoint
  drafting: DraftingOption[]
  front: PlanPoint[]
  reach: Reach[]
  floor?: Floor
  refusals: Refusal[]
  considered: number
  objectives: Objectives
  objective: Objective
  /** The load was given: the table shows no column for it. */
  fixedLoad: boolean
  next: string
}

const layoutOf = ({evaluation: {deployment}}: PlanPoint): string => layoutLetters(deployment)

/** Limits in words; empty when there are none. */
export function limitsInWords({ttftMs, tpotMs, endToEndMs: endToEnd, percentile}: Objectives): string {
  const parts: string[] = []
  if (ttftMs !== undefined) parts.push(`the first token within ${duration(ttftMs)}`)
  if (tpotMs !== undefined) parts.push(`${duration(tpotMs)} for each further token`)
  if (endToEnd !== undefined) parts.push(`the whole answer within ${duration(endToEnd)}`)
  const text = parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? '')
  return text !== '' && percentile !== undefined ? `${text}, for ${percentile}% of requests` : text
}

/** What a plan says beside its table and its front: for every view the same. */
export function planWords(
  picture: Pick<
    PlanPicture,
    'ranking' | 'met' | 'interactive' | 'objectives' | 'objective' | 'floor' | 'drafting' | 'considered' | 'mostThroughput' | 'passedOver'
  >,
): {
  headline: string
  sentences: string[]
} {
  const {ranking, met, interactive, objectives, objective, floor, drafting, considered} = picture
  const [best, second] = ranking
  if (!best) return {headline: `all ${count(considered)} deployments are refused`, sentences: []}
  const {engine, deployment, verdict, reasons} = best.evaluation
  const limits = limitsInWords(objectives)
  const sentences = [pointWords(best)]
  if (limits !== '') sentences.push(reachedWords(best, objectives))
  else if (verdict === 'too-slow' && reasons[0]) sentences.push(reasons[0].message)
  if (interactive) sentences.push(interactiveWords(best, interactive, objective))
  if (best.alsoCheckpoints) sentences.push(harmless(`as quick with ${best.alsoCheckpoints.join(' or ')}`))
  if (best.alsoKvCache) sentences.push(`as quick with a cache in ${best.alsoKvCache.join(' or ')}`)
  sentences.push(...besideWords(picture), ...drafting.map(draftingWords))
  if (second && met) sentences.push(whyNot(best, second))
  if (floor) sentences.push(floorWords(floor, objectives))
  return {headline: `${engine.title} ${deployment.engineVersion}, ${deploymentWords(best.evaluation)}`, sentences: sentences.map(capital)}
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const ROWS = 8
const REFUSALS = 5

/** `plan` for people: the ranking, why the next best lost, a chart, and what was refused. */
export function renderPlan(picture: PlanPicture, look: Look): string {
  const {columns} = look
  const style = paint(look.colour)
  const [best, second] = picture.ranking
  const lines = [style.bold(wrap(picture.title, columns)), '']
  const unknown = picture.refusals.some(({code}) => code === 'architecture-unknown')
  if (!best && unknown) lines.push(`  ${wrap(`${style.bad('cannot tell')}: the layers of this model are not known`, columns - 4, 2)}`)
  else if (!best) lines.push(`  ${wrap(`${style.bad('nothing can be started')}: all ${count(picture.considered)} deployments are refused`, columns - 4, 2)}`)
  else {
    lines.push(...verdictLines(best, picture, columns, style), '', rankingTable(picture, tablesOf(look), style).trimEnd())
    if (picture.drafting.length > 0) lines.push('', ...picture.drafting.map((option) => `  ${wrap(draftingWords(option), columns - 4, 2)}`))
    if (second && picture.met) lines.push('', `  ${wrap(whyNot(best, second), columns - 4, 2)}`)
    const drawn = chart(picture.front, Math.min(columns - 4, 90), layoutOf)
    if (drawn.length > 0) lines.push('', ...drawn.map((line) => `  ${line}`))
  }
  if (picture.floor) lines.push('', `  ${wrap(floorWords(picture.floor, picture.objectives), columns - 4, 2)}`)
  if (picture.reach.length > 0) lines.push('', ...reachLines(picture.reach, hasLimits(picture.objectives), columns))
  lines.push(...refusalLines(picture, columns))
  lines.push('', `  Next   ${commandLines(picture.next, look, 9)}`)
  return `${lines.join('\n')}\n`
}

function verdictLines(
  best: RankedPlan,
  {objectives, objective, met, interactive, mostThroughput, passedOver}: PlanPicture,
  columns: number,
  style: Paint,
): string[] {
  const {engine, deployment, verdict, reasons} = best.evaluation
  const word = met ? style.good(style.bold('best')) : style.bad(style.bold(hasLimits(objectives) ? 'no plan keeps the limits' : 'no plan keeps up'))
  const limits = limitsInWords(objectives)
  const lines = [`  ${met || limits === '' ? word : wrap(`${word}: ${limits}`, columns - 6, 4)}`]
  const name = `${engine.title} ${deployment.engineVersion}, ${deploymentWords(best.evaluation)}`
  if (met) lines[0] += `   ${wrap(name, columns - 12, 9)}`
  else lines.push(`  nearest  ${wrap(name, columns - 14, 11)}`)
  const indent = met ? 9 : 11
  const say = (text: string) => lines.push(`${' '.repeat(indent)}${wrap(text, columns - indent - 3, indent)}`)
  say(pointWords(best))
  if (limits !== '') say(reachedWords(best, objectives))
  else if (verdict === 'too-slow' && reasons[0]) say(reasons[0].message)
  if (interactive) say(interactiveWords(best, interactive, objective))
  if (best.alsoCheckpoints) say(harmless(`as fast with ${best.alsoCheckpoints.join(' or ')}`))
  if (best.alsoKvCache) say(`as fast with a cache in ${best.alsoKvCache.join(' or ')}`)
  for (const text of besideWords({mostThroughput, passedOver})) lines.push('', `  ${wrap(text, columns - 4, 2)}`)
  return lines
}

/** What gives more and was not put first, and why. */
function besideWords({mostThroughput, passedOver}: Pick<PlanPicture, 'mostThroughput' | 'passedOver'>): string[] {
  const words: string[] = []
  if (passedOver) {
    const {engine: other, checkpoint} = passedOver.evaluation
    const recovery = checkpoint.quality && scoresOf(checkpoint.quality).recovery
    const known = recovery === undefined ? ' It loses more:' : ` It loses more (keeps ${(recovery * 100).toFixed(1)}% of the original's scores):`
    words.push(`Passed over: ${other.title} ${harmless(checkpoint.hfId)} ${layoutOf(passedOver)}, ${pointWords(passedOver)}.${known} --prefer speed takes it.`)
  }
  if (mostThroughput) {
    const {engine: other, checkpoint} = mostThroughput.evaluation
    words.push(`Without such limits ${other.title} ${checkpoint.weights} ${layoutOf(mostThroughput)} gives the most: ${pointWords(mostThroughput)}`)
  }
  return words
}

/** How the load came about, where nobody gave one. */
function interactiveWords(best: RankedPlan, interactive: Objectives, objective: Objective): string {
  const limits = limitsInWords(interactive)
  const chosen = objective === 'throughput' ? 'as many users as can be served interactively' : 'served interactively'
  return best.meets
    ? `${chosen}: ${limits} (--users, --slo-ttft-ms and --slo-tpot-ms choose otherwise)`
    : `even a single user misses the interactive limits (${limits}): ${reachedWords(best, interactive)}`
}

const NAMES = {ttftMs: 'first token', tpotMs: 'each further token', endToEndMs: 'the whole answer'}

/** How limits are kept or missed: first token 1.2 s expected, up to 1.9 s, of 2 s. */
function reachedWords(best: PlanPoint, objectives: Objectives): string {
  const parts = reached(best, objectives).map(
    ({name, limit, estimate, high}) =>
      `${NAMES[name]} ${durationBeside(estimate, limit)} expected, up to ${durationBeside(high, limit)} (limit ${duration(limit)})`,
  )
  return `${objectives.percentile === undefined ? '' : `for ${objectives.percentile}% of simulated requests: `}${parts.join('; ')}`
}

const loadWords = ({concurrency, evaluation: {workload}}: PlanPoint): string =>
  concurrency === undefined
    ? `at ${workload?.requestRate} requests/s`
    : concurrency === 'max'
      ? 'with as many requests as fit'
      : `at ${usersInWords(concurrency)}`

function pointWords(point: PlanPoint): string {
  const {outputTokensPerSecond: out, tpotMs, ttftMs} = point.performance
  const perUser = `${rate(1000 / tpotMs.estimate)} tok/s`
  const range = `(${rate(1000 / tpotMs.high)} to ${rate(1000 / tpotMs.low)})`
  const first = `first token ${duration(ttftMs.estimate)} (${duration(ttftMs.low)} to ${duration(ttftMs.high)})`
  // What one user gets is what is served in all.
  if (point.concurrency === 1) return `${perUser} ${range} ${loadWords(point)}, ${first}`
  return `${rate(out.estimate)} tok/s (${rate(out.low)} to ${rate(out.high)}) ${loadWords(point)}: ${perUser} per user ${range}, ${first}`
}

/** What stands in the columns that name a deployment. */
const labelOf = (point: PlanPoint): string =>
  [point.evaluation.engine.id, point.evaluation.checkpoint.weights, point.evaluation.deployment.kvCache, layoutOf(point)].join(' ')

function rankingTable({ranking, objectives, fixedLoad}: PlanPicture, width: number, style: Paint): string {
  const rows = ranking.slice(0, ROWS)
  // Builds of one format that are not as good are told apart by who published them.
  const isTwice = (point: RankedPlan) => rows.some((row) => row !== point && labelOf(row) === labelOf(point))
  const publisher = ({evaluation: {checkpoint}}: RankedPlan) => checkpoint.hfId.split('/')[0]!
  const first = inOneUnit(rows.map(({performance}) => performance.ttftMs.estimate))
  const whole = inOneUnit(rows.map((point) => endToEndMs(point).estimate))
  const columns: Column<RankedPlan>[] = [
    {title: 'Engine', value: ({evaluation}) => evaluation.engine.id, names: true},
    {
      title: 'Weights',
      names: true,
      value: (point) => harmless(`${point.evaluation.checkpoint.weights}${isTwice(point) ? ` (${publisher(point)})` : ''}`),
    },
    {title: 'KV', value: ({evaluation}) => evaluation.deployment.kvCache, names: true},
    {title: 'Layout', value: layoutOf, names: true},
    ...(fixedLoad
      ? []
      : [{title: 'Users', value: ({concurrency}: RankedPlan) => (typeof concurrency === 'number' ? count(concurrency) : (concurrency ?? '-')), right: true}]),
    {
      title: 'tok/s',
      value: ({
        performance: {
          outputTokensPerSecond: {estimate},
        },
      }) => rate(estimate),
      right: true,
    },
    {
      title: 'At least',
      value: ({
        performance: {
          outputTokensPerSecond: {low},
        },
      }) => rate(low),
      right: true,
      expendable: 2,
    },
    {title: 'Per user', value: ({performance: {tpotMs}}) => rate(1000 / tpotMs.estimate), right: true},
    {title: 'TTFT', value: ({performance: {ttftMs}}) => first(ttftMs.estimate), right: true},
    ...(objectives.endToEndMs === undefined
      ? []
      : [{title: 'Whole', value: (point: RankedPlan) => whole(endToEndMs(point).estimate), right: true, expendable: 1}]),
    ...(!hasLimits(objectives) || ranking.every(({sure}) => sure)
      ? []
      : [{title: 'Limits', value: (point: RankedPlan) => limitWords(point, objectives), style: (point: RankedPlan) => limitStyle(point, style)}]),
    {title: 'Context', value: ({evaluation}) => tokens(evaluation.deployment.maxModelLen), right: true, expendable: 3},
  ]
  return table(rows, columns, width)
}

const limitStyle = (point: PlanPoint, style: Paint): ((text: string) => string) =>
  point.meets && !isOverloaded(point) ? (point.sure ? style.good : style.warn) : style.bad

function limitWords(point: PlanPoint, objectives: Objectives): string {
  if (isOverloaded(point)) return 'overloaded'
  if (point.meets) return point.sure ? 'kept' : 'expected'
  const worst = Math.max(...reached(point, objectives).map(({limit, estimate}) => estimate / limit))
  if (!Number.isFinite(worst)) return 'broken'
  return worst <= 1 ? 'together not' : worst < 1.05 ? `x ${Math.max(1.001, worst).toFixed(3)}` : worst < 10 ? `x ${worst.toFixed(1)}` : `x ${count(worst)}`
}

function whyNot(best: PlanPoint, second: PlanPoint): string {
  const [a, b] = [best.performance, second.performance]
  const name = `${second.evaluation.engine.title} ${second.evaluation.checkpoint.weights} ${layoutOf(second)}`
  if (!second.meets) return `The runner-up, ${name}, keeps the limits at none of the loads tried.`
  const overlap = b.outputTokensPerSecond.high > a.outputTokensPerSecond.low
  const why = loss(a, b)
  return why === undefined
    ? `The runner-up, ${name}, is as good within the margin of error.`
    : `The runner-up, ${name}, ${why}${overlap ? '; the intervals overlap, so measure both if it matters' : ''}.`
}

type Speeds = PlanPoint['performance']

const PHASE_NAMES = {prefill: 'first token', decode: 'each further token'}

/** Where the next best loses, by the cautious ends, and what its time goes into. */
function loss(a: Speeds, b: Speeds): string | undefined {
  const parts: string[] = []
  const behind = 1 - b.outputTokensPerSecond.low / a.outputTokensPerSecond.low
  if (behind > 0.005) parts.push(`gives ${(behind * 100).toFixed(0)}% less throughput`)
  const slower = b.tpotMs.high / a.tpotMs.high - 1
  if (slower > 0.01) parts.push(`takes ${(slower * 100).toFixed(0)}% longer for each token`)
  const later = b.ttftMs.high / a.ttftMs.high - 1
  if (later > 0.05) parts.push(`${(later * 100).toFixed(0)}% longer to the first token`)
  if (parts.length === 0) return undefined
  const most = largestDifference(a, b)
  return `${parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts[0]} at the low end of the interval${most ? `, most of it in ${most}` : ''}`
}

/** The part of a step that grew most. */
function largestDifference(a: Speeds, b: Speeds): string | undefined {
  const before = new Map(a.breakdown.map(({phase, name, ms}) => [`${phase} ${name}`, ms]))
  let most: {words: string; ms: number} | undefined
  for (const {phase, name, ms} of b.breakdown) {
    if (phase !== 'decode') continue
    const grown = ms - (before.get(`${phase} ${name}`) ?? 0)
    if (grown > (most?.ms ?? 0)) most = {words: `${name} (${duration(grown)} more of ${PHASE_NAMES[phase]})`, ms: grown}
  }
  return most && most.ms > 0.05 * b.tpotMs.estimate ? most.words : undefined
}

function floorWords(floor: Floor, objectives: Objectives): string {
  const parts = (['ttftMs', 'tpotMs', 'endToEndMs'] as const)
    .filter((name) => objectives[name] !== undefined)
    .map((name) => `${NAMES[name]} ${duration(floor[name])} (up to ${duration(floor.slow[name])})`)
  return `The best that this machine reaches, with one user and for each limit by itself: ${parts.join(', ')}.`
}

function reachLines(reach: readonly Reach[], limited: boolean, columns: number): string[] {
  const width = Math.min(34, Math.floor(columns / 2) - 4, Math.max(...reach.map(({flags}) => flags.length)))
  return [
    limited ? '  What would keep them' : '  What would help',
    ...reach.map(
      ({flags, outcome}) =>
        `  ${flags.length > width ? `${wrap(flags, columns - 4, 4)}\n  ${' '.repeat(width)}` : padEnd(flags, width)}  ${wrap(outcome, columns - width - 6, width + 4)}`,
    ),
  ]
}

function refusalLines({refusals, considered, reach}: PlanPicture, columns: number): string[] {
  if (refusals.length === 0) return []
  const lines = ['', `  Refused, of ${count(considered)} deployments`]
  // A layout that was tried and does is told above: what a refusal would suggest for itself is not.
  const relaid = reach.some(({change}) => change === 'layout')
  for (const {count: times, message, remedy: own, examples} of refusals.slice(0, REFUSALS)) {
    const remedy = relaid && own?.startsWith('use --tp') ? undefined : own
    lines.push(`  ${padEnd(`${count(times)} x`, 7)}${wrap(harmless(`${message}${remedy ? `; ${remedy}` : ''} (${examples[0]})`), columns - 11, 9)}`)
  }
  if (refusals.length > REFUSALS) lines.push(`  ${' '.repeat(7)}${wrap(`and ${refusals.length - REFUSALS} other reasons: see --json`, columns - 11, 9)}`)
  return lines
}
