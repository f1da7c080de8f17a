import {DEPLOYMENT_FIELDS} from '../../core/deployment.ts'

/** One comparable figure of a document. */
export interface Figure {
  /** Names it in both documents: `best.ttftMs`. */
  key: string
  value: number | string | boolean
  /** Which way is better; absent: a change is only told. */
  better?: 'higher' | 'lower'
  /** Values from worst to best, where they are words. */
  order?: readonly string[]
  unit?: 'ms' | 'bytes' | 'tokens' | 'tok/s' | 'amount'
}

type Mapping = Record<string, unknown>

export type DocumentKind = 'result' | 'plan' | 'comparison' | 'capacity'

export interface FiguresOfDocument {
  kind: DocumentKind
  figures: Figure[]
}

const VERDICTS = ['unsupported', 'does-not-fit', 'too-slow', 'tight', 'fits']

const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value)
const mapping = (value: unknown): Mapping => (isMapping(value) ? value : {})
const list = (value: unknown): Mapping[] => (Array.isArray(value) ? value.filter(isMapping) : [])

/** The figures of what `check`, `plan`, `compare` or `capacity` printed with --json; undefined for anything else. */
export function figuresOf(document: unknown): FiguresOfDocument | undefined {
  if (!isMapping(document)) return undefined
  if (Array.isArray(document.plans)) return {kind: 'plan', figures: planFigures(document)}
  if (Array.isArray(document.rows))
    return {
      kind: 'comparison',
      figures: list(document.rows).flatMap((row) => resultFigures(mapping(row.result), `${row.hfId} ${row.kvCache} on ${row.gpus}x${row.gpu}: `, false)),
    }
  if (Array.isArray(document.options)) return {kind: 'capacity', figures: capacityFigures(document)}
  if (isMapping(document.deployment) && isMapping(document.memory)) return {kind: 'result', figures: resultFigures(document, '', true)}
  return undefined
}

function resultFigures(result: Mapping, before: string, withDeployment: boolean): Figure[] {
  const [memory, deployment, performance] = [mapping(result.memory), mapping(result.deployment), mapping(result.performance)]
  const perGpu = mapping(memory.perGpu)
  const figures: Figure[] = []
  const add = (key: string, value: unknown, rest: Omit<Figure, 'key' | 'value'> = {}) => {
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') figures.push({key: `${before}${key}`, value, ...rest})
  }
  add('verdict', result.verdict, {better: 'higher', order: VERDICTS})
  if (withDeployment) {
    add('model', mapping(result.model).hfId)
    for (const name of DEPLOYMENT_FIELDS.filter((field) => field !== 'maxModelLen')) {
      const value = deployment[name]
      add(name, isMapping(value) ? `${value.method}:${value.tokens}` : value, name === 'cpuOffloadBytes' ? {unit: 'bytes'} : {})
    }
  }
  add('maxModelLen', deployment.maxModelLen, {better: 'higher', unit: 'tokens'})
  add('kvCacheTokens', memory.kvCacheTokens, {better: 'higher', unit: 'tokens'})
  add('weightsBytes', perGpu.weightsBytes, {better: 'lower', unit: 'bytes'})
  const estimate = (name: string) => mapping(performance[name]).estimate
  add('outputTokensPerSecond', estimate('outputTokensPerSecond'), {better: 'higher', unit: 'tok/s'})
  add('ttftMs', estimate('ttftMs'), {better: 'lower', unit: 'ms'})
  add('tpotMs', estimate('tpotMs'), {better: 'lower', unit: 'ms'})
  return figures
}

const layoutKey = (plan: Mapping): string => {
  const {engine, weights, kvCache, tp, pp, dp, ep, dpAttention} = mapping(plan.deployment)
  const sizes = Object.entries({tp, pp, dp, ep})
    .filter(([name, size]) => name === 'tp' || size !== 1)
    .map(([name, size]) => `${name} ${size}`)
  return `${engine} ${weights} ${kvCache} ${sizes.join(' ')}${dpAttention === true ? ' attn-dp' : ''}`
}

/** The best plan, whatever it is. */
function planFigures(document: Mapping): Figure[] {
  const [best] = list(document.plans)
  const figures: Figure[] = [{key: 'limits kept', value: document.met === true, better: 'higher', order: ['false', 'true']}]
  if (!best) return figures
  const {concurrency} = mapping(best.workload)
  if (typeof concurrency === 'number') figures.push({key: 'best plan: requests in flight', value: concurrency})
  return [...figures, ...resultFigures(best, 'best plan: ', true)]
}

function capacityFigures(document: Mapping): Figure[] {
  const figures: Figure[] = [{key: 'carried', value: document.feasible === true, better: 'higher', order: ['false', 'true']}]
  for (const option of list(document.options)) {
    const name = `${option.machine}: `
    figures.push({key: `${name}feasible`, value: option.feasible === true, better: 'higher', order: ['false', 'true']})
    for (const placement of list(option.placements)) {
      // Of one GPU: parts of machines of different sizes are compared so.
      if (typeof placement.carries === 'number' && typeof placement.gpus === 'number')
        figures.push({key: `${name}${placement.name} on each GPU`, value: placement.carries / placement.gpus, better: 'higher', unit: 'amount'})
      figures.push({key: `${name}${placement.name} as`, value: layoutKey(mapping(placement.result))})
    }
    for (const period of list(option.periods)) {
      const at = `${name}month ${period.month} `
      for (const [key, words] of [
        ['machines', 'machines'],
        ['costPerMonth', 'cost'],
        ['kwhPerMonth', 'kWh'],
      ] as const) {
        const value = period[key]
        if (typeof value === 'number') figures.push({key: `${at}${words}`, value, better: 'lower', unit: 'amount'})
      }
    }
  }
  return figures
}
