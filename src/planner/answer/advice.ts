import {shellWords} from '../../core/shell-words.ts'
import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Checkpoint} from '../../core/model.ts'
import {sumBytes} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import {dividesHeads} from '../../engines/divisibility.ts'
import {ENGINES} from '../../engines/registry.ts'
import {parseSpeculation} from '../scenario/index.ts'
import {type Context, engineOf, isMixed, makersLike, usualLink} from '../world/index.ts'
import type {Answer} from './answer.ts'
import {bestLayout, byPreference, type ChoiceQuestion, choose} from './choose.ts'
import {nearestSizes, plainRate} from './evaluate.ts'
import {type Evaluation, isYes, starts} from './evaluation.ts'
import {largest} from './largest.ts'
import {withoutLayout} from './layouts.ts'
import {requestTokens} from './settle.ts'

/** A single change, evaluated: with it the answer is yes. */
export interface Change {
  /** The smaller step comes first: a flag, another checkpoint, another layout or engine, other hardware. */
  kind: 'flag' | 'checkpoint' | 'layout' | 'hardware'
  /** As flags to add, or as the command to run instead. */
  flags: string
  outcome: string
  /** The whole question with the change in it. */
  command: string
}

export interface Holder {
  title: string
  memoryBytes: number
  outcome: string
  spec: string
}

/** What to do with an answer. */
export interface Advice {
  changes: Change[]
  /** Machines of the catalogue that hold the model, smallest first. */
  holders: Holder[]
  /** Models that these GPUs hold. */
  fitting: string[]
  /** Commands to go on with. */
  next: string[]
}

/** What the changed command answers, with the build where that is another one. */
function outcomeOf({verdict, deployment, checkpoint}: Evaluation, before: Checkpoint): string {
  return `${verdict}${checkpoint.hfId === before.hfId ? '' : ` as ${checkpoint.weights}`}, ${countInWords(deployment.maxModelLen)} tokens of context`
}

/** Advice for an answer: the way on when it fits, the ways out when it does not. */
export function adviseOn(context: Context, answer: Answer, command: string): Advice {
  const {best} = answer
  if (isYes(best))
    return {
      changes: best.verdict === 'tight' && !best.warnings.some(({code}) => code === 'speed-unknown') ? changesFor(context, answer, command) : [],
      holders: [],
      fitting: [],
      next: [`servefit config ${command}`],
    }
  // Of a model that is known by name alone nothing can be told, with no flag and on no machine.
  if (answer.named.model.knownByName) return {changes: [], holders: [], fitting: [], next: []}
  const changes = changesFor(context, answer, command)
  // Other hardware only where nothing smaller does; other models only where the memory is what is missing.
  // What no engine here is planned for is not mended by other hardware.
  const elsewhere = best.reasons.some(({code}) => code === 'hardware-unsupported')
  const holders = !elsewhere && changes.every(({kind}) => kind === 'hardware') ? holdersOf(context, answer) : []
  const fitting = !elsewhere && changes.length === 0 && best.verdict !== 'too-slow' ? fittingModels(context, answer) : []
  // What keeps all that was asked comes before a shorter context, and before other hardware.
  const first = changes.find(({kind, flags}) => kind !== 'hardware' && !isShorter(flags, answer)) ?? changes[0]
  const next = first?.command ?? (holders[0] ? `servefit check ${withGpu(command, holders[0].spec)}` : undefined)
  // Where this machine keeps a part of the load, several keep the whole; where it keeps none, no number of them does.
  const fleet = best.verdict === 'too-slow' && changes.some(({flags}) => /^--(users|request-rate) /.test(flags))
  return {changes, holders, fitting, next: [...(next ? [next] : []), ...(fleet ? [fleetCommand(answer, command)] : [])]}
}

/** A context that is shorter than what was asked for, or than what is needed. */
const isShorter = (flags: string, {best, question: {workload}}: Answer): boolean =>
  flags.startsWith('--max-model-len') &&
  !(best.verdict !== 'too-slow' && Number(flags.split(' ')[1]) >= Math.max(requestTokens(workload), best.deployment.maxModelLen))

/** Where one machine does not keep up: how many would. */
const fleetCommand = ({scenario}: Answer, command: string): string => `servefit capacity --model ${quoted(scenario.model, command)} ${rest(command)}`

/** The model as the command spells it: quoted where a shell needs it. */
const quoted = (model: string, command: string): string => shellWords(command)[0] ?? model

/** Changes that are told. */
const MOST_CHANGES = 4

/** What is tried: a part of the question in another form. */
interface Attempt {
  kind: Change['kind']
  changed: Partial<ChoiceQuestion>
  flags: string
  /** Where the change is more than a flag added. */
  command?: string
}

/** The smallest single changes with which the answer is yes, each tried; of a kind those first that change least. */
function changesFor(context: Context, answer: Answer, command: string): Change[] {
  const {best, question} = answer
  const changes: Change[] = []
  const made = new Set<string>()
  for (const attempt of attempts(context, answer, command)) {
    if (changes.length === MOST_CHANGES) break
    const {kind, flags} = attempt
    // Of other checkpoints, layouts and engines the first that does is enough.
    if (made.has(flags) || (kind !== 'flag' && changes.some((change) => change.kind === kind))) continue
    // The whole question is asked again, as the command would: of a name's builds another may be taken then.
    const tried = choose({...question, ...attempt.changed}).best
    if (best.verdict === 'tight' ? tried.verdict !== 'fits' : !isYes(tried)) continue
    made.add(flags)
    changes.push({
      kind,
      flags,
      outcome: outcomeOf(tried, attempt.changed.checkpoint ?? best.checkpoint),
      command: attempt.command ?? `servefit check ${withFlag(command, flags)}`,
    })
  }
  return changes
}

/** A context below this serves nobody. */
const LEAST_CONTEXT = 256

/** Changes worth trying, the smallest first: a flag, the checkpoint, the layout, the engine, more cards. */
function* attempts(context: Context, answer: Answer, command: string): Generator<Attempt> {
  const {best, question} = answer
  yield* flagAttempts(answer, command)
  if (best.verdict === 'tight') return
  yield* loadAttempts(answer, command)
  const {model, machine, request} = question
  for (const checkpoint of byPreference(model, model.checkpoints, machine.gpus[0]!.accelerator))
    if (checkpoint.hfId !== best.checkpoint.hfId)
      yield {
        kind: 'checkpoint',
        changed: {checkpoint, request: {...request, weights: undefined}},
        flags: checkpoint.hfId,
        command: `servefit check ${checkpoint.hfId} ${withoutFlag(rest(command), '--weights')}`.trimEnd(),
      }
  yield* layoutAttempts(answer, command)
  for (const id of Object.keys(ENGINES).filter((other) => other !== question.engine.id))
    yield {
      kind: 'layout',
      changed: {engine: engineOf(context, id), request: {...request, engine: id, engineVersion: undefined}},
      flags: `--engine ${id}`,
      command: `servefit check ${withFlag(withoutFlag(command, '--engine-version'), `--engine ${id}`)}`,
    }
  // A slice, or a card that the catalogue does not know, cannot be asked for by name.
  const grown = !isMixed(machine) && context.catalogue.gpu(machine.gpus[0]!.accelerator.id) && withMoreGpus(machine)
  if (grown) {
    const spec = `${grown.gpus.length}x${machine.gpus[0]!.accelerator.id}`
    const fixed = [request.tp, request.pp, request.dp, request.ep, request.dpAttention].some((size) => size !== undefined)
    yield {
      kind: 'hardware',
      changed: {machine: grown, request: withoutLayout(request)},
      flags: `--gpu ${spec}${fixed ? ' without a fixed layout' : ''}`,
      command: `servefit check ${withGpu(command, spec)}`,
    }
  }
}

function* flagAttempts({best, question}: Answer, command: string): Generator<Attempt> {
  const {machine, request, engine} = question
  const {memory, deployment} = best
  const set = (changed: Partial<DeploymentRequest>, flags: string): Attempt => ({kind: 'flag', changed: {request: {...request, ...changed}}, flags})
  const unset = (name: keyof DeploymentRequest, flag: string): Attempt => ({
    kind: 'flag',
    changed: {request: {...request, [name]: undefined}},
    flags: `without ${flag}`,
    command: `servefit check ${withoutFlag(command, flag)}`,
  })
  if (best.reasons.some(({code}) => code === 'memory-taken')) {
    const freeBytes = Math.min(...machine.gpus.map((gpu) => gpu.freeBytes ?? gpu.memoryBytes))
    const share = Math.floor((100 * freeBytes) / memory.totalBytes) / 100
    if (share > 0) yield set({gpuMemoryUtilization: share}, `--gpu-memory-utilization ${share}`)
  }
  if (request.engineVersion !== undefined && best.verdict === 'unsupported')
    yield {...set({engineVersion: undefined}, `--engine-version ${engine.newestVersion}`)}
  // What a build of this release lacks another has: its release is named in the remedy.
  const release = best.reasons.map(({remedy}) => /--engine-version (\d[\w.]*\w)/.exec(remedy ?? '')?.[1]).find((version) => version !== undefined)
  if (release !== undefined && release !== engine.newestVersion) yield set({engineVersion: release}, `--engine-version ${release}`)
  for (const {code, remedy} of best.reasons) {
    const method = code === 'speculation-unavailable' ? /--speculative (\S+)/.exec(remedy ?? '')?.[1]?.replace(/[,;.]$/, '') : undefined
    if (method !== undefined) yield set({speculative: parseSpeculation(method)}, `--speculative ${method}`)
  }
  if (request.speculative !== undefined && best.verdict !== 'tight') yield unset('speculative', '--speculative')
  if (request.gpuMemoryUtilization !== undefined) yield unset('gpuMemoryUtilization', '--gpu-memory-utilization')
  if (request.maxNumSeqs !== undefined) yield unset('maxNumSeqs', '--max-num-seqs')
  const tokens = requestTokens(question.workload)
  if (best.verdict === 'does-not-fit' && tokens > deployment.maxModelLen) yield set({maxModelLen: tokens}, `--max-model-len ${tokens}`)
  // A length that nobody asked for is what is missed least.
  const isOwnLength = best.verdict === 'does-not-fit' && request.maxModelLen === undefined && memory.largestMaxModelLen >= LEAST_CONTEXT
  // Where a request is too long its own length is the smaller change.
  if (isOwnLength && tokens <= deployment.maxModelLen) yield set({maxModelLen: memory.largestMaxModelLen}, `--max-model-len ${memory.largestMaxModelLen}`)
  if (request.kvCache !== undefined && best.reasons.some(({code}) => code === 'kv-cache-unsupported')) yield unset('kvCache', '--kv-cache')
  if (deployment.kvCache === 'bf16') yield set({kvCache: 'fp8'}, '--kv-cache fp8')
  const {largestMaxNumSeqs} = memory
  if (largestMaxNumSeqs !== undefined && largestMaxNumSeqs >= 1 && deployment.maxNumSeqs > largestMaxNumSeqs)
    yield set({maxNumSeqs: largestMaxNumSeqs}, `--max-num-seqs ${largestMaxNumSeqs}`)
  // Of a load that is larger, most would wait: no limit is kept so.
  const small = typeof question.workload?.concurrency !== 'number' || question.workload.concurrency <= 32
  if (deployment.maxNumSeqs > 32 && (best.verdict !== 'too-slow' || small)) yield set({maxNumSeqs: 32}, '--max-num-seqs 32')
  if (deployment.maxNumBatchedTokens > 2048) yield set({maxNumBatchedTokens: 2048}, '--max-num-batched-tokens 2048')
  if (!deployment.enforceEager && best.verdict !== 'too-slow') yield set({enforceEager: true}, '--enforce-eager')
  if (best.verdict !== 'does-not-fit' || isOwnLength) return
  // A shorter context comes last, the longest that is chosen where none is fixed before the longest that starts as things are.
  const open = choose({...question, request: {...request, maxModelLen: undefined}}).best
  const shorter =
    isYes(open) && request.maxModelLen !== undefined && open.deployment.maxModelLen < request.maxModelLen
      ? open.deployment.maxModelLen
      : memory.largestMaxModelLen
  if (shorter >= LEAST_CONTEXT) yield set({maxModelLen: shorter}, `--max-model-len ${shorter}`)
}

/** Less load, where it starts and does not keep up; shorter requests, where they do not enter. */
function* loadAttempts({best, question}: Answer, command: string): Generator<Attempt> {
  const {workload} = question
  if (!workload) return
  const at = (changed: Partial<Workload>, flags: string): Attempt => ({
    kind: 'flag',
    changed: {workload: {...workload, ...changed}},
    flags,
    command: `servefit check ${withFlag(command, flags)}`,
  })
  const yes = (changed: Partial<Workload>) => isYes(bestLayout({...question, checkpoint: best.checkpoint, workload: {...workload, ...changed}}))
  if (best.verdict === 'too-slow') {
    const {concurrency, requestRate} = workload
    if (typeof concurrency === 'number' && concurrency > 1) {
      const users = largest(concurrency, (value) => yes({concurrency: value}))
      if (users > 0) yield at({concurrency: users}, `--users ${users}`)
    }
    if (requestRate !== undefined) {
      const served = best.performance ? best.performance.outputTokensPerSecond.low / workload.outputTokens : 0
      const most = Math.min(requestRate, served)
      const steps = largest(100, (value) => yes({requestRate: plainRate((most * value) / 100)}), true)
      const rate = plainRate((most * steps) / 100)
      if (steps > 0 && rate > 0) yield at({requestRate: rate}, `--request-rate ${rate}`)
    }
  }
  const tooLong = best.reasons.some(({code}) => code === 'request-exceeds-context')
  if (!tooLong && best.verdict !== 'too-slow') return
  // What the context leaves beside the answer, else the longest prompt that keeps the limits, as a number that one would type.
  const beside = best.deployment.maxModelLen - workload.outputTokens
  const input = tooLong && beside > 0 && yes({inputTokens: beside}) ? beside : plainCount(largest(workload.inputTokens, (value) => yes({inputTokens: value})))
  if (input > 0 && input < workload.inputTokens) yield at({inputTokens: input}, `--input ${input}`)
}

/** Rounded down to hundreds, or tens where it is small. */
const plainCount = (value: number): number => (value >= 1000 ? value - (value % 100) : value >= 100 ? value - (value % 10) : value)

/** Where a layout was asked for: the nearest that works, by tensor parallel size, then whatever is best. */
function* layoutAttempts({best, question}: Answer, command: string): Generator<Attempt> {
  const {model, machine, request} = question
  const {tp, pp, dp, ep, dpAttention} = request
  if (tp === undefined && pp === undefined && dp === undefined && ep === undefined && !dpAttention) return
  const with_ = (changed: Partial<DeploymentRequest>, flags: string): Attempt => ({
    kind: 'layout',
    changed: {request: {...request, ...changed}},
    flags,
    command: `servefit check ${withFlag(command, flags)}`,
  })
  // What the refusal itself says, and the layout without what was refused: the rest of what was asked for stays.
  for (const remedy of best.reasons.flatMap((reason) => reason.remedy ?? [])) {
    const size = /--ep (\d+)/.exec(remedy)?.[1]
    if (size !== undefined) yield with_({ep: Number(size)}, `--ep ${size}`)
    if (remedy.includes('use --dp-attention')) yield with_({dpAttention: true}, '--dp-attention')
  }
  for (const [name, flag] of [
    ['ep', '--ep'],
    ['dpAttention', '--dp-attention'],
  ] as const)
    if (request[name] !== undefined) yield {...with_({[name]: undefined}, `without ${flag}`), command: `servefit check ${withoutFlag(command, flag)}`}
  if (tp !== undefined) {
    for (const size of nearestSizes(tp, machine.gpus.length).filter((size) => dividesHeads(model.architecture, size))) yield with_({tp: size}, `--tp ${size}`)
  }
  const bare = ['--tp', '--pp', '--dp', '--ep', '--dp-attention'].reduce(withoutFlag, command)
  yield {kind: 'layout', changed: {request: withoutLayout(request)}, flags: 'without a fixed layout', command: `servefit check ${bare}`}
}

/** What stands behind the model, which may be several words in quotes. */
const rest = (command: string): string => shellWords(command).slice(1).join(' ')

/** The command with this flag, in the place of the one that it has: a flag is given once. */
const withFlag = (command: string, flag: string): string => `${withoutFlag(command, flag.split(' ')[0]!)} ${flag}`

/** The command without a flag and its value, which may be several words in quotes; a switch has none. */
function withoutFlag(command: string, name: string): string {
  if (name === '') return command
  const words = shellWords(command)
  return words
    .filter((word, index) => {
      const isValue = index > 0 && words[index - 1] === name && !word.startsWith('-')
      return word !== name && !word.startsWith(`${name}=`) && !isValue
    })
    .join(' ')
}

/** The command on other cards, its layout left open. */
const withGpu = (command: string, spec: string): string =>
  withFlag(
    ['--machine', '--nodes', '--link', '--tp', '--pp', '--dp', '--ep', '--dp-attention', '--gpu-memory-utilization'].reduce(withoutFlag, command),
    `--gpu ${spec}`,
  )

/** The next number of cards that layouts divide over. */
function withMoreGpus(machine: Machine): Machine | undefined {
  const count = machine.gpus.length
  const next = [2, 4, 8].find((size) => size > count)
  return next && machine.nodeCount === 1 ? machineOfCount(machine, next) : undefined
}

function machineOfCount(machine: Machine, count: number): Machine {
  const {accelerator, memoryBytes} = machine.gpus[0]!
  return {
    ...machine,
    detected: false,
    gpus: Array.from({length: count}, (_, index) => ({index, accelerator, memoryBytes})),
    link: usualLink(accelerator, count),
  }
}

/** Machines of the catalogue that hold it, least memory first, one for each kind of GPU. */
function holdersOf(context: Context, {question, best}: Answer): Holder[] {
  const {catalogue} = context
  const needed = sumBytes(best.memory.terms.filter(({part}) => part === 'weights')) * best.deployment.tp * best.deployment.pp
  const makers = makersLike(question.machine.gpus[0]!.accelerator.vendor)
  const sized = catalogue.systems.flatMap((system) => {
    const [gpu, ...others] = system.gpus
    const accelerator = others.length === 0 && gpu ? catalogue.gpus.find(({id}) => id === gpu.id) : undefined
    if (!gpu || !accelerator || system.nodeCount > 1 || !makers.includes(accelerator.vendor)) return []
    return [{accelerator, count: gpu.count, memoryBytes: gpu.count * (gpu.memoryBytes ?? accelerator.memoryBytes)}]
  })
  const holders: Holder[] = []
  const seen = new Set<string>()
  for (const {accelerator, count, memoryBytes} of sized.sort((a, b) => a.memoryBytes - b.memoryBytes || a.count - b.count)) {
    if (memoryBytes < needed || seen.has(accelerator.id) || holders.length === 3) continue
    seen.add(accelerator.id)
    const machine = machineOfCount(
      {gpus: [{index: 0, accelerator, memoryBytes: accelerator.memoryBytes}], nodeCount: 1, link: {kind: 'pcie-host'}, detected: false},
      count,
    )
    const request = {...withoutLayout(question.request), gpuMemoryUtilization: undefined}
    const evaluation = choose({...question, machine, request}).best
    if (isYes(evaluation))
      holders.push({
        title: `${count > 1 ? `${count} x ` : ''}${shortGpuName(accelerator.name)}`,
        memoryBytes,
        outcome: `${evaluation.verdict}, ${countInWords(evaluation.deployment.maxModelLen)} tokens`,
        spec: `${count}x${accelerator.id}`,
      })
  }
  return holders
}

const shortGpuName = (name: string): string => name.replace(/^GeForce |^Instinct /, '').replace(/ ?\(.*\)$/, '')

/** Names of the largest models that these GPUs hold, most parameters first. */
function fittingModels(context: Context, {question}: Answer): string[] {
  const room = question.machine.gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)
  const names: string[] = []
  const entries = [...context.catalogue.modelEntries]
    .filter(({totalParams, pooling}) => !pooling && totalParams * 0.5 < room)
    .sort((a, b) => b.totalParams - a.totalParams)
  for (const {id} of entries.slice(0, 24)) {
    const model = context.catalogue.model(id)
    const checkpoint = byPreference(model, model.checkpoints, question.machine.gpus[0]!.accelerator).at(-1)
    if (!checkpoint) continue
    const evaluation = bestLayout({...question, slo: undefined, model, checkpoint, request: {engine: question.request.engine}})
    if (starts(evaluation)) names.push(`${model.id} (${checkpoint.weights})`)
    if (names.length === 3) break
  }
  return names
}
