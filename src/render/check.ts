import {cacheFormat, weightFormat} from '../core/formats.ts'
import {bytesInWords, usersInWords} from '../core/words.ts'
import type {Speculation, Workload} from '../core/deployment.ts'
import type {Performance, SpeculationFigures} from '../core/throughput/input.ts'
import {mostInFlight} from '../core/throughput/drafting-pays.ts'
import {HOST_LINK_TERM} from '../core/throughput/offload.ts'
import {
  type Advice,
  type Answer,
  diskBytes,
  type Evaluation,
  isYes,
  missingBytes,
  performanceInput,
  reachableContext,
  type Result,
  sharesExperts,
  TIGHT_CODES,
  toResult,
} from '../planner/answer/index.ts'
import {commandLines} from './command-lines.ts'
import {machineTitle} from './hardware.ts'
import type {Figure} from '../planner/quality/index.ts'
import type {Look} from './look.ts'
import {memoryBar} from './memory-bar.ts'
import {count, duration, gib, inOneUnit, rate} from './numbers.ts'
import {poolingRows} from './pooling.ts'
import {figureLines, qualityWords} from './quality.ts'
import {harmless, type Paint, padEnd, paint, widthOf, wrap} from './style.ts'
import {dictionary} from '../core/dictionary.ts'

interface View extends Look {
  /** Every term with its rule. */
  explain?: boolean
  /** Nobody stated the load: what is assumed is shown as that. */
  loadAssumed?: boolean
  /** The comparisons behind what is said of quality, with `explain`. */
  figures?: readonly Figure[]
  /** What became of an engine's own command: before what to run next. */
  aside?: string
}

const LABEL = 16
/** Weights in host memory come over another link than the one between cards. */
const limitWords = ({boundBy, breakdown}: Performance): string =>
  boundBy === 'interconnect' && breakdown.some(({name}) => name === HOST_LINK_TERM) ? "the link to the host's memory" : BOUND_WORDS[boundBy]!

const BOUND_WORDS: Record<string, string> = dictionary({
  'memory-bandwidth': 'memory bandwidth',
  compute: 'compute',
  interconnect: 'the link between GPUs',
  overhead: 'per-step overhead',
  'kv-capacity': 'room in the cache',
})

/** `check` for people: the verdict, the memory, the speed, and what to do next. */
export function renderCheck(answer: Answer, advice: Advice, view: View): string {
  const style = paint(view.colour)
  const {best} = answer
  const result = toResult(best)
  const lines = [titleLine(answer, view, style), '', ...verdictLines(answer, result, view, style), '', ...memoryLines(best, result, view)]
  const rows = factRows(best, result, view)
  if (rows.length > 0) lines.push('', ...rows.map(([label, text]) => row(label, text, view)))
  const passed = passedOverWords(answer)
  if (passed.length > 0) lines.push('', ...passed.map((text) => `  ${wrap(text, view.columns - 4, 2)}`))
  lines.push(...adviceLines(advice, view, style))
  if (view.explain) lines.push('', ...explainLines(best, view))
  if (view.figures && view.figures.length > 0) lines.push('', '  Measurements behind the quality', ...figureLines(view.figures, view))
  return `${lines.join('\n')}\n`
}

/** What is told of an answer beside its verdict and its memory, each with its label: for every view the same. */
export function factRows(best: Evaluation, result: Result, view: Pick<View, 'explain' | 'loadAssumed'> = {}): [string, string][] {
  const rows: [string, string][] = best.pooling
    ? poolingRows(best, best.pooling, best.workload ? loadInWords(best.workload) : '')
    : best.verdict === 'unsupported'
      ? []
      : capacityRows(best, result)
  if (best.performance && !best.pooling) rows.push(...speedRows(best, view))
  if (result.quality && result.quality.level !== 'original') rows.push(['Quality', qualityWords(result.quality)])
  rows.push(...noteRows(best))
  return rows
}

/** Lines wrap within the width less a margin, and go on under their text. */
const row = (label: string, text: string, {columns}: View): string => `  ${padEnd(label, LABEL)}${wrap(text, columns - LABEL - 2, LABEL + 2)}`

function titleLine({best, machine}: Answer, {columns}: View, style: Paint): string {
  const left = `${harmless(best.model.name)} on ${machineTitle(machine)}`
  const right = `${best.engine.title} ${best.deployment.engineVersion}`
  const gap = columns - widthOf(left) - widthOf(right)
  return gap >= 2 ? style.bold(left) + ' '.repeat(gap) + style.dim(right) : `${style.bold(wrap(left, columns))}\n${style.dim(right)}`
}

/** What was chosen, in words: AWQ INT4 (repository), tensor parallel 2, FP8 KV cache. */
export function deploymentWords(evaluation: Evaluation): string {
  const {checkpoint, deployment, model} = evaluation
  const format = checkpoint.weights === 'native' ? 'published' : formatTitle(checkpoint.formats.default)
  const by = checkpoint.publisher === 'community' ? ', a community upload' : ''
  const words = [`${format}${checkpoint.hfId ? ` (${harmless(checkpoint.hfId)}${by})` : ''}`, ...layoutWords(evaluation)]
  const plain = deployment.kvCache === 'bf16' || deployment.kvCache === 'fp16'
  if (!plain && model.architecture.layerKinds.some(({mixers}) => mixers.length > 0)) words.push(`${cacheFormat(deployment.kvCache).title} KV cache`)
  return words.join(', ')
}

const formatTitle = (format: string): string => weightFormat(format).title

function layoutWords(evaluation: Evaluation): string[] {
  const {tp, pp, dp, ep, dpAttention} = evaluation.deployment
  const words = []
  if (tp > 1) words.push(`tensor parallel ${tp}`)
  if (pp > 1) words.push(`pipeline parallel ${pp}`)
  if (dpAttention) words.push('data-parallel attention')
  // Ranks that share the experts are no replicas: none could run alone.
  else if (dp > 1) words.push(sharesExperts(evaluation) ? `data parallel ${dp} with the experts shared among all ranks` : `${dp} replicas`)
  if (ep > 1) words.push(`expert parallel ${ep}`)
  return words
}

const VERDICT_WORDS: Record<Evaluation['verdict'], {word: string; style: 'good' | 'warn' | 'bad'}> = {
  fits: {word: 'fits', style: 'good'},
  tight: {word: 'tight', style: 'warn'},
  'too-slow': {word: 'too slow', style: 'bad'},
  'does-not-fit': {word: 'does not fit', style: 'bad'},
  unsupported: {word: 'unsupported', style: 'bad'},
}

/** The verdict with what is asked most beside it, what was chosen, and why it is not a plain yes. */
function verdictLines({best}: Answer, result: Result, view: View, style: Paint): string[] {
  const {word, style: colour} = VERDICT_WORDS[best.verdict]
  const indent = widthOf(word) + 5
  const beside = (text: string) => wrap(text, view.columns - indent, indent)
  const deployment = `as ${deploymentWords(best)}`
  const told =
    best.verdict === 'tight'
      ? result.warnings.filter(({code}) => TIGHT_CODES.includes(code)).map(({message}) => message)
      : result.reasons.map(({message, remedy}) => (best.verdict === 'unsupported' && remedy ? `${message}; ${remedy}` : message))
  // A yes is told by its figures, a no by its reason.
  const first = headline(best) ?? (isYes(best) ? undefined : told.shift())
  const lines = [`  ${style[colour](style.bold(word))}   ${beside(first ?? deployment)}`]
  if (first !== undefined) lines.push(`${' '.repeat(indent)}${beside(deployment)}`)
  return [...lines, ...told.map((message) => `  ${wrap(message, view.columns - 4, 2)}`)]
}

function memoryLines({memory, machine}: Evaluation, {memory: {perGpu}}: Result, view: View): string[] {
  const title = machine.gpus[0]?.accelerator.vendor === 'cpu' ? 'Memory per socket, GiB' : 'Memory per GPU, GiB'
  return memoryBar(title, perGpu, memory.totalBytes, view)
}

function capacityRows(evaluation: Evaluation, result: Result): [string, string][] {
  const {deployment, memory, model, workload, verdict, reasons} = evaluation
  if (verdict === 'does-not-fit' && !reasons.some(({code}) => code === 'request-exceeds-context')) return []
  const limit = model.architecture.contextTokens
  const rows: [string, string][] = []
  const own =
    deployment.maxModelLen === limit
      ? "the model's own limit"
      : deployment.maxModelLen < limit
        ? `of the model's ${count(limit)}`
        : `beyond the model's ${count(limit)}`
  const extended =
    model.extendedContext && deployment.maxModelLen === limit
      ? ` (${count(model.extendedContext.tokens)}${model.extendedContext.ropeScaling ? ' with YaRN' : ' as its publisher documents'})`
      : ''
  rows.push(['Context', `${count(deployment.maxModelLen)} tokens, ${own}${extended}`])
  const replicas = deployment.dp > 1 ? (sharesExperts(evaluation) ? ' for each data-parallel rank' : ' for each replica') : ''
  const size = workload ? `${requests(Math.floor(memory.requestsOfTokens(workload.inputTokens + workload.outputTokens)))} of this size at once, ` : ''
  const ends = result.memory.interval?.kvCacheTokens
  const either = ends && ends.low < ends.high ? ` (${count(rounded(ends.low))} to ${count(rounded(ends.high))})` : ''
  rows.push(['KV cache', `${count(memory.kvCacheTokens)} tokens${either}${replicas}: ${size}${rate(result.memory.maxConcurrencyAtMaxModelLen)} of full length`])
  if (result.memory.stateBytesPerSequence)
    rows.push([
      'State',
      `${gib(result.memory.stateBytesPerSequence * 1)} GiB for each request, besides the cache`.replace(
        /^0\.0 GiB/,
        `${Math.round(result.memory.stateBytesPerSequence / 2 ** 20)} MiB`,
      ),
    ])
  return rows
}

/** Three digits: more are not known of an interval's end. */
const rounded = (value: number): number => Number(value.toPrecision(3))

/** Hardware that was measured here and there, by many in many ways, counts as little measured (docs/accuracy.md). */
const BASIS_WORDS = {
  hardware: 'few or no measurements of this hardware',
  model: 'no measurements of models of this kind',
  engine: 'no measurements of this release of the engine',
}

const span = ({low, high}: {low: number; high: number}, words: (value: number) => string): string => `(${words(low)} to ${words(high)})`

const REQUESTS: [string, string] = ['request/s', 'requests/s']

/** `8 users`, `2.5 requests/s`, `as many users as fit`. */
function loadInWords({requestRate, concurrency}: Workload): string {
  if (requestRate !== undefined) return `${requestRate} ${REQUESTS[requestRate === 1 ? 0 : 1]}`
  if (concurrency === 'max') return 'as many users as fit'
  return concurrency === undefined || concurrency === 1 ? 'one user' : `${count(concurrency)} users`
}

/** What is asked most, first: how many users, how fast for each, and how many more there is room for. Nothing where there is no speed to tell. */
export function headline({performance, workload, memory, verdict, pooling}: Evaluation): string | undefined {
  if (!performance || !workload || pooling || (verdict !== 'fits' && verdict !== 'tight')) return undefined
  const {requestRate, concurrency, inputTokens, outputTokens} = workload
  const speed = `${rate(1000 / performance.tpotMs.estimate)} tok/s${requestRate === undefined && (concurrency === undefined || concurrency === 1) ? '' : ' each'}`
  const room = Math.floor(memory.requestsOfTokens(inputTokens + outputTokens))
  return `${loadInWords(workload)} at ${speed}, first token after ${duration(performance.ttftMs.estimate)}, room for ${count(room)} at once`
}

function speedRows(evaluation: Evaluation, view: Pick<View, 'explain' | 'loadAssumed'>): [string, string][] {
  const {performance, workload, deployment, warnings} = evaluation
  if (!performance || !workload) return []
  const {ttftMs, tpotMs, outputTokensPerSecond, outputTokensPerSecondPerUser, boundBy, basis} = performance
  // An open loop that far more could be served than arrives: nothing is uncertain about what leaves.
  const certain = workload.requestRate !== undefined && rate(outputTokensPerSecond.low) === rate(outputTokensPerSecond.high)
  const limit = warnings.some(({code}) => code === 'concurrency-exceeds-sequences') && boundBy === 'kv-capacity' ? '--max-num-seqs' : limitWords(performance)
  const perUser = {low: 1000 / tpotMs.high, high: 1000 / tpotMs.low}
  const lengths = `prompts of ${count(workload.inputTokens)} and answers of ${count(workload.outputTokens)} tokens`
  const load = view.loadAssumed ? `assumed: ${loadInWords(workload)}, ${lengths} (--users, --input, --output)` : `${loadInWords(workload)}, ${lengths}`
  const speed = `${rate(1000 / tpotMs.estimate)} tok/s ${span(perUser, rate)}, first token ${duration(ttftMs.estimate)} ${span(ttftMs, duration)}`
  // One user's speed and that of all users together are one number.
  const alone = workload.requestRate === undefined && (workload.concurrency ?? 1) === 1
  const rows: [string, string][] = [['Load', load]]
  if (alone) rows.push(['Speed', `${speed}, limited by ${limit}`])
  else
    rows.push(
      ['Per user', speed],
      [
        'Total',
        `${rate(outputTokensPerSecond.estimate)} tok/s${certain ? ', all that arrives' : ` ${span(outputTokensPerSecond, rate)}`}, limited by ${limit}`,
      ],
    )
  if (deployment.dp > 1 && !deployment.dpAttention && Math.abs(outputTokensPerSecondPerUser) === 0) rows.pop()
  if (performance.speculation && deployment.speculative)
    rows.push(['Drafts', draftWords(deployment.speculative, performance.speculation, mostInFlight(performanceInput(evaluation, workload)))])
  if (basis.ownRuns !== undefined) rows.push(['Basis', harmless(basis.ownRuns)])
  // The newest release of an engine is hardly ever measured: that alone is no news.
  const unmeasured = basis.extrapolated.filter((what) => view.explain || what !== 'engine').map((what) => BASIS_WORDS[what])
  if (unmeasured.length > 0) rows.push(['Basis', `wide intervals: ${unmeasured.join(', ')}`])
  return rows
}

/** mtp:1, 85% of drafted tokens accepted (assumed): pays up to 40 in flight and costs beyond. `most`: requests that run at once. */
function draftWords({method, tokens, draft}: Speculation, {acceptance, source, paysUntilConcurrency: until}: SpeculationFigures, most: number): string {
  const name = `${method}:${tokens}${draft === undefined ? '' : ` (${harmless(draft)})`}`
  const pays =
    until === undefined
      ? ''
      : until === 0
        ? '; it pays off at no load'
        : until < most
          ? `; it pays off up to ${usersInWords(until)} and costs speed beyond`
          : `; it pays off at any number of requests that run at once (up to ${count(most)})`
  return `${name}, ${Math.round(acceptance * 100)}% of drafted tokens accepted (${source === 'given' ? 'given' : 'assumed'})${pays}`
}

const requests = (held: number): string => `${count(held)} ${held === 1 ? 'request' : 'requests'}`

/** Warnings that are not part of the verdict already. */
function noteRows({warnings}: Evaluation): [string, string][] {
  return warnings.filter(({code}) => !TIGHT_CODES.includes(code)).map(({message}) => ['Note', harmless(message)])
}

/** What was not taken, and why, in sentences. */
export function passedOverWords({passedOver: evaluations, best, unpreferred, question}: Answer): string[] {
  if (evaluations.length === 0 || !isYes(best)) return []
  if (unpreferred)
    return [
      `Chosen for ${question.prefer} (--prefer): ${preferenceWords(best)}; without it ${harmless(unpreferred.checkpoint.hfId)} would be taken: ${preferenceWords(unpreferred)}.`,
    ]
  const seen = new Map<string, string>()
  for (const evaluation of evaluations) {
    const name = formatTitle(evaluation.checkpoint.formats.default)
    const why = whyPassed(evaluation, best)
    if (!seen.has(name) && why !== undefined) seen.set(name, `${name} ${why}.`)
  }
  return [...seen.values()]
}

/** What also fits is told where the one that was taken is so much faster. */
const NOTED_FASTER = 1.25

/** 762 tok/s, 40,960 tokens of context, 19.2 GiB of weights */
const preferenceWords = (evaluation: Evaluation): string =>
  `${evaluation.performance ? `${rate(evaluation.performance.outputTokensPerSecond.estimate)} tok/s, ` : ''}up to ${count(reachableContext(evaluation))} tokens of context, ${gib(diskBytes(evaluation.model, evaluation.checkpoint))} GiB of weights`

/** Why a checkpoint was not taken, after its name. */
function whyPassed(evaluation: Evaluation, best: Evaluation): string | undefined {
  const {verdict, reasons, warnings} = evaluation
  if (verdict === 'does-not-fit') {
    const short = missingBytes(evaluation)
    return short > 0 ? `is ${bytesInWords(short)} too large per GPU` : `does not fit: ${reasons[0]?.message}`
  }
  const [own, taken] = [evaluation, best].map(({performance}) => performance?.outputTokensPerSecondPerUser ?? 0)
  if (verdict === 'fits') return own! * NOTED_FASTER < taken! ? `fits too, at ${rate(own!)} tok/s per user` : undefined
  const told = reasons[0] ?? warnings.find(({code}) => TIGHT_CODES.includes(code))
  if (told === undefined) return undefined
  return `${verdict === 'tight' ? 'is tight' : verdict === 'too-slow' ? 'is too slow' : 'is not supported'}: ${told.message}`
}

function adviceLines(advice: Advice, view: View, style: Paint): string[] {
  const lines: string[] = []
  const block = (label: string, texts: string[]) => {
    if (texts.length > 0) lines.push('', ...texts.map((text, index) => row(index === 0 ? label : '', text, view)))
  }
  const flagsWidth = Math.max(0, ...advice.changes.map(({flags}) => flags.length))
  block(
    'Would help',
    advice.changes.map(({flags, outcome}) => `${padEnd(flags, Math.min(flagsWidth, Math.max(26, view.columns - LABEL - 40)))}  ${style.dim(outcome)}`),
  )
  if (advice.holders.length > 0)
    block(
      'Would fit on',
      advice.holders.map(({title, memoryBytes, outcome}) => `${padEnd(title, 22)} ${gib(memoryBytes).padStart(7)} GiB  ${outcome}`),
    )
  if (advice.fitting.length > 0) block('Fits here', [advice.fitting.join(', ')])
  if (view.aside) lines.push('', view.aside.replaceAll(/^\n|\n$/g, ''))
  if (advice.next.length > 0)
    lines.push('', ...advice.next.map((command, index) => `  ${padEnd(index === 0 ? 'Next' : '', LABEL)}${commandLines(command, view, LABEL + 2)}`))
  return lines
}

function explainLines({memory, performance}: Evaluation, view: View): string[] {
  const lines = [`  ${wrap('Memory, term by term, of the GPU with least room', view.columns - 4, 2)}`]
  for (const {name, bytes, kind, because} of memory.terms)
    lines.push(
      `  ${`${gib(bytes)} GiB`.padStart(11)}  ${wrap(`${name} (${kind})`, view.columns - 17, 15)}`,
      `  ${' '.repeat(13)}${wrap(because, view.columns - 17, 15)}`,
    )
  if (performance) {
    lines.push('', '  Time')
    const times = (phase: string) => inOneUnit(performance.breakdown.filter((part) => part.phase === phase).map(({ms}) => ms))
    const inUnit = {prefill: times('prefill'), decode: times('decode')}
    for (const {phase, name, ms, because} of performance.breakdown)
      lines.push(
        `  ${inUnit[phase](ms).padStart(11)}  ${wrap(`${phase}: ${name}`, view.columns - 17, 15)}`,
        `  ${' '.repeat(13)}${wrap(because, view.columns - 17, 15)}`,
      )
    lines.push('', `  ${wrap(`Speed rests on the calibration "${performance.basis.calibration}".`, view.columns - 4, 2)}`)
  }
  return lines
}
