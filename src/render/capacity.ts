import type {CapacityReport, FleetOption, Period, Placement} from '../planner/capacity/index.ts'
import type {Deployment} from '../core/deployment.ts'
import {limitsInWords} from './plan.ts'
import {layoutLetters} from './layout.ts'
import {type Look, tablesOf} from './look.ts'
import {count, duration, rate} from './numbers.ts'
import {harmless, type Paint, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

const UNIT_WORDS = {requestsPerSecond: 'requests/s', users: 'users'}
const BOUND_WORDS = {
  limits: 'more would break a limit',
  percentile: 'more would break a limit for too many requests',
  utilisation: 'more would come too close to saturation',
  cache: 'the cache holds no more',
  'most-looked-at': 'higher loads were not tried',
}
const LIMIT_NAMES = {ttftMs: 'First token', tpotMs: 'Each further token', endToEndMs: 'Whole answer'}

/** 12,000, 7.5, 0.012: of what is less than one two digits. */
const figure = (amount: number): string =>
  Number.isInteger(amount) ? count(amount) : amount >= 1 ? rate(amount).replace(/\.0$/, '') : String(Number(amount.toPrecision(2)))

/** `1 user`, `2 users`, `1 request/s`, `7.5 requests/s`. */
const amountOf = (amount: number, unit: keyof typeof UNIT_WORDS): string => {
  const number = figure(amount)
  return `${number} ${number === '1' ? UNIT_WORDS[unit].replace(/s(?=$|\/)/, '') : UNIT_WORDS[unit]}`
}
const machinesOf = (number: number): string => `${count(number)} machine${number === 1 ? '' : 's'}`

const percent = (share: number): string => `${Math.round(share * 100)}%`
const money = (amount: number): string => (amount >= 1000 ? count(Math.round(amount)) : amount.toFixed(2))

/** `capacity` for people: a line for each kind of machine, how the best is laid out, and how it grows. `lengthsAssumed`: nobody gave any. */
export function renderCapacity(report: CapacityReport, look: Look & {lengthsAssumed?: boolean}): string {
  const {columns} = look
  const style = paint(look.colour)
  const lines = report.demands.map((demand) => wrap(demandWords(demand), columns - 2, 2))
  lines[0] = style.bold(lines[0] ?? '')
  const {candidates} = report
  if (report.demands.some(({sloAssumed}) => sloAssumed)) lines.push(`  ${wrap(ASSUMED_LIMITS, columns - 4, 2)}`)
  if (look.lengthsAssumed) lines.push(`  ${wrap('The lengths of prompts and answers are assumed: --input and --output give others.', columns - 4, 2)}`)
  if (candidates) lines.push(`  ${wrap(candidateWords(candidates.considered, report.options), columns - 4, 2)}`)
  lines.push('')
  const feasible = report.options.filter((option) => option.feasible)
  if (feasible.length > 0) lines.push(optionTable(feasible, tablesOf(look)).trimEnd(), '')
  for (const option of report.options.filter((candidate) => !candidate.feasible))
    lines.push(...option.problems.map((problem) => `  ${wrap(problemWords(option, problem, report), columns - 4, 4)}`))
  const [best] = feasible
  if (best) lines.push(...bestLines(best, report, look, style))
  return `${lines.join('\n').trimEnd()}\n`
}

function candidateWords(considered: number, options: readonly FleetOption[]): string {
  const shown =
    options.length < considered
      ? `; the ${options.length === 1 ? '' : `${count(options.length)} `}${options[0]?.feasible ? 'best' : 'nearest'} ${options.length === 1 ? 'is' : 'are'} shown`
      : ''
  const found =
    considered === 0
      ? 'no machine of the catalogue that can be bought or rented today holds the model'
      : `${machinesOf(considered)} of the catalogue that can be bought or rented today and ${considered === 1 ? 'holds' : 'hold'} the model ${considered === 1 ? 'was' : 'were'} compared${shown}`
  return `No machine was named: ${found}. Name others with --gpu or --machine (--machine here: this computer).`
}

function problemWords({machine}: FleetOption, {name, message, remedy}: FleetOption['problems'][number], {demands}: CapacityReport): string {
  const model = demands.length > 1 ? ` ${harmless(name)}` : ''
  return `${harmless(machine)} cannot carry${model === '' ? ' this load' : model}: ${harmless(message)}${remedy === undefined ? '' : `; ${harmless(remedy)}`}`
}

function demandWords({name, unit, amount, thinkSeconds, inputTokens, outputTokens, slo, growthPerMonth, trace}: CapacityReport['demands'][number]): string {
  const pause =
    unit !== 'users'
      ? ''
      : thinkSeconds
        ? ` with a pause of ${thinkSeconds} s between an answer and the next request`
        : amount === 1
          ? ' with one request in flight all the time'
          : ', each with one request in flight all the time'
  const load = trace
    ? `a trace of ${count(trace.requests)} request${trace.requests === 1 ? '' : 's'}, ${figure(trace.peakRequestsPerSecond)} requests/s in its busiest minute${trace.busiestRequests === undefined ? '' : ` (simulated: the ${count(trace.busiestRequests)} requests in a row that arrive fastest)`}`
    : `${amountOf(amount, unit)}${pause}`
  const limits = slo ? limitsInWords(slo) : ''
  const growth = growthPerMonth === 0 ? '' : `, ${(growthPerMonth * 100).toFixed(1).replace(/\.0$/, '')}% more each month`
  return `${harmless(name)}: ${load}${growth}, prompts of ${count(inputTokens)} and answers of ${count(outputTokens)} tokens${limits === '' ? '; no limits' : `; ${limits}`}`
}

function optionTable(options: readonly FleetOption[], columns: number): string {
  const first = ({periods}: FleetOption): Period => periods[0]!
  const priced = options.some((option) => first(option).costPerMonth !== undefined)
  const shown: Column<FleetOption>[] = [
    {title: 'Machine', value: ({machine}) => harmless(machine)},
    {title: 'Number', value: (option) => count(first(option).machines), right: true},
    {title: 'Safe', value: (option) => (first(option).cautious ? count(first(option).cautious!.machines) : '-'), right: true},
    {title: 'GPUs', value: (option) => count(first(option).gpus), right: true},
    {title: 'Used', value: (option) => percent(first(option).utilisation), right: true},
    {title: 'One lost', value: (option) => lossWords(first(option)), right: true, expendable: 2},
    {
      title: 'kW at most',
      value: (option) => (first(option).watts === undefined ? '-' : (first(option).watts! / 1000).toFixed(1)),
      right: true,
      expendable: 3,
    },
    ...(priced
      ? [{title: 'A month', value: (option: FleetOption) => (first(option).costPerMonth === undefined ? '-' : money(first(option).costPerMonth!)), right: true}]
      : []),
    // Several models are told one by one below.
    ...(options.every(({placements}) => placements.length === 1)
      ? [{title: 'Layout', value: ({placements}: FleetOption) => layoutOf(placements[0]!.result.deployment), expendable: 1}]
      : []),
  ]
  return table(options, shown, columns)
}

const lossWords = ({utilisationAfterLoss}: Period): string => (utilisationAfterLoss === undefined ? 'down' : percent(utilisationAfterLoss))

const layoutOf = (deployment: Omit<Deployment, 'gpuMemoryUtilization'>): string => `${deployment.engine} ${deployment.weights} ${layoutLetters(deployment)}`

/** How the first option is laid out and what becomes of it when a machine is lost, in sentences. */
function bestWords(best: FleetOption, report: CapacityReport): string[] {
  const sentences: string[] = []
  const say = (text: string) => sentences.push(text)
  for (const placement of best.placements) {
    const {unit} = report.demands.find(({name}) => name === placement.name)!
    for (const text of placementWords(placement, unit, best, report.demands.length > 1)) say(text)
  }
  const now = best.periods[0]!
  const broken = limitedDemands(report) ? 'the limits are broken' : 'the others wait'
  if (now.utilisationAfterLoss === undefined)
    say(`If a machine is lost, ${report.demands.length > 1 ? 'one model is not served at all' : 'nothing is served'}: --spare 1 adds a spare.`)
  else if (now.utilisationAfterLoss > 1)
    say(`If a machine is lost, the others get ${percent(now.utilisationAfterLoss)} of what they can carry: ${broken} until it is back. --spare 1 adds a spare.`)
  else say(`If a machine is lost, the others carry on at ${percent(now.utilisationAfterLoss)} of what they can carry.`)
  if (now.watts !== undefined)
    say(
      `Energy is an upper bound: ${best.powerOf === 'system' ? 'the rated power of the systems' : 'the rated power of the GPUs alone, without hosts'}, around the clock: ${count(Math.round(now.kwhPerMonth!))} kWh a month${now.energyCostPerMonth === undefined ? '' : `, ${money(now.energyCostPerMonth)}`}.`,
    )
  return sentences
}

/** What a report says beside its tables: for every view the same. */
export function capacityWords(report: CapacityReport): {demands: string[]; notes: string[]; best: string[]; problems: string[]} {
  const {candidates, demands, options} = report
  const feasible = options.filter((option) => option.feasible)
  const [best] = feasible
  return {
    demands: demands.map(demandWords),
    notes: [...(demands.some(({sloAssumed}) => sloAssumed) ? [ASSUMED_LIMITS] : []), ...(candidates ? [candidateWords(candidates.considered, options)] : [])],
    best: best ? [`${harmless(best.machine)}: ${fleetWords(best)}`, ...bestWords(best, report)] : [],
    problems: options.filter((option) => !option.feasible).flatMap((option) => option.problems.map((problem) => problemWords(option, problem, report))),
  }
}

const ASSUMED_LIMITS = 'These are the interactive limits, as none were given: the --slo flags change them, and --slo none removes them.'

function bestLines(best: FleetOption, report: CapacityReport, look: Look, style: Paint): string[] {
  const {columns} = look
  const lines = [`${style.bold(harmless(best.machine))}: ${fleetWords(best)}`, ...bestWords(best, report)].map((text) => `  ${wrap(text, columns - 4, 4)}`)
  if (best.periods.length > 1)
    lines.push(
      '',
      ...periodTable(best, report, tablesOf(look) - 2)
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
    )
  return lines
}

const limitedDemands = ({demands}: CapacityReport): boolean => demands.some(({slo}) => slo !== undefined && limitsInWords(slo) !== '')

/** Two numbers: what is expected to do, and what does at the slow end of every interval. */
function fleetWords({periods, verdict}: FleetOption): string {
  const {machines, cautious} = periods[0]!
  if (verdict === 'fits' || (cautious && cautious.machines === machines)) return `${machinesOf(machines)}, even at the slow end of the speed intervals`
  return cautious
    ? `${machinesOf(machines)} expected to be enough; ${count(cautious.machines)} to be safe at the slow end of the speed intervals`
    : `${machinesOf(machines)} expected to be enough; at the slow end of the speed intervals no number of machines keeps the limits`
}

/** What a machine carries, and each latency at that load: expected, at the slow end, and the limit. */
function placementWords(
  {name, gpus, carries, limitedBy, inFlight, limits = [], cautious, result, shareWithinLimits, atLoad}: Placement,
  unit: 'requestsPerSecond' | 'users',
  {gpusPerMachine}: FleetOption,
  named: boolean,
): string[] {
  const {deployment, performance} = result
  const part = gpus === gpusPerMachine ? 'each' : `each part of ${gpus} GPU${gpus === 1 ? '' : 's'}`
  const subject = named ? `${harmless(name)}: ${part}` : capital(part)
  const slow = cautious ? `${cautious.carries >= carries ? 'as many' : amountOf(cautious.carries, unit)} at the slow end` : 'none at the slow end'
  const words = [
    `${subject} carries ${amountOf(carries, unit)} (${slow}) with ${layoutOf(deployment)}, ${deployment.kvCache} cache; ${BOUND_WORDS[limitedBy]}.`,
  ]
  if (limits.length === 0) return [...words, ...(atLoad ? [atLoadWords(atLoad, unit)] : [])]
  if (inFlight)
    words.push(
      `On average about ${rate(inFlight.mean)} of these users have a request in flight, and ${count(inFlight.busy)} at busy times; the times below are for ${count(inFlight.busy)}.`,
    )
  if (!performance) return words
  const {ttftMs, tpotMs} = performance
  const shown = [{name: 'ttftMs' as const, ...ttftMs}, {name: 'tpotMs' as const, ...tpotMs}, ...limits.filter((limit) => limit.name === 'endToEndMs')]
  for (const {name: which, estimate, high} of shown) {
    const limit = limits.find((known) => known.name === which)?.limit
    const speed = (ms: number) => (which === 'tpotMs' ? ` (${rate(1000 / ms)} tok/s for each user)` : '')
    words.push(
      `${LIMIT_NAMES[which]}: ${duration(estimate)} expected${speed(estimate)}, up to ${duration(high)}${speed(high).replace(' for each user', '')} at the slow end${limit === undefined ? '' : `; the limit is ${duration(limit)}`}.`,
    )
  }
  if (shareWithinLimits !== undefined) words.push(`${percent(shareWithinLimits)} of simulated requests keep the limits.`)
  if (atLoad && atLoad.amount < carries * NEARLY_FULL) words.push(atLoadWords(atLoad, unit))
  return words
}

/** From this share of what a machine carries on its times at the load are those at the most that it carries. */
const NEARLY_FULL = 0.97

/** The times at the load that was asked for: what people will see. */
function atLoadWords({amount, ttftMs, tpotMs}: NonNullable<Placement['atLoad']>, unit: 'requestsPerSecond' | 'users'): string {
  const share = unit === 'users' ? Math.ceil(amount - 1e-9) : amount
  return `At the load that was asked for, with ${amountOf(share, unit)} on each: first token ${duration(ttftMs.estimate)} (up to ${duration(ttftMs.high)}), each further token ${duration(tpotMs.estimate)} (${rate(1000 / tpotMs.estimate)} tok/s for each user; up to ${duration(tpotMs.high)}).`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function periodTable(best: FleetOption, {demands}: CapacityReport, columns: number): string {
  const priced = best.periods.some(({costPerMonth}) => costPerMonth !== undefined)
  return table(
    best.periods,
    [
      {title: 'Month', value: ({month}) => String(month), right: true},
      ...demands.map(
        ({name, unit}, index): Column<Period> => ({
          title: demands.length > 1 ? harmless(name) : UNIT_WORDS[unit],
          value: ({units}) => figure(units[index]!.demand),
          right: true,
        }),
      ),
      {title: 'Machines', value: ({machines}) => count(machines), right: true},
      {title: 'Safe', value: ({cautious}) => (cautious ? count(cautious.machines) : '-'), right: true},
      {title: 'Used', value: ({utilisation}) => percent(utilisation), right: true},
      {title: 'One lost', value: lossWords, right: true},
      {title: 'kWh a month', value: ({kwhPerMonth}) => (kwhPerMonth === undefined ? '-' : count(Math.round(kwhPerMonth))), right: true, expendable: 1},
      ...(priced ? [{title: 'Cost a month', value: ({costPerMonth}: Period) => (costPerMonth === undefined ? '-' : money(costPerMonth)), right: true}] : []),
    ],
    columns,
  )
}

/** Settings of a deployment that stand in a column of their own. */
const LAYOUT = ['engine', 'weights', 'kvCache', 'tp', 'pp', 'dp', 'ep', 'dpAttention'] as const

/** A line for each machine kind, month and model; RFC 4180. */
export function capacityCsv({options, demands}: CapacityReport): string {
  const header = [
    'machine',
    'feasible',
    'month',
    'model',
    'unit',
    'demand',
    'carriesPerUnit',
    'gpusPerUnit',
    'units',
    'unitUtilisation',
    'machinesNeeded',
    'machines',
    'gpus',
    'utilisation',
    'utilisationAfterLoss',
    'watts',
    'kwhPerMonth',
    'costPerMonth',
    'energyCostPerMonth',
    ...LAYOUT,
    'carriesCautiously',
    'machinesCautiously',
  ]
  const rows: unknown[][] = []
  for (const {machine, feasible, periods, placements, problems} of options) {
    if (!feasible) rows.push([machine, false, '', problems.map(({name}) => name).join(' ')])
    for (const period of periods)
      for (const [
        index,
        {
          name,
          gpus,
          carries,
          cautious,
          result: {deployment},
        },
      ] of placements.entries()) {
        const unit = period.units[index]!
        rows.push([
          machine,
          feasible,
          period.month,
          name,
          demands[index]!.unit,
          unit.demand,
          carries,
          gpus,
          unit.units,
          unit.utilisation,
          period.needed,
          period.machines,
          period.gpus,
          period.utilisation,
          period.utilisationAfterLoss,
          period.watts,
          period.kwhPerMonth,
          period.costPerMonth,
          period.energyCostPerMonth,
          ...LAYOUT.map((name) => deployment[name]),
          cautious?.carries,
          period.cautious?.machines,
        ])
      }
  }
  const cell = (value: unknown) => {
    const text = value === undefined ? '' : String(value)
    // A leading sign would be a formula to a spreadsheet.
    const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return `${[header, ...rows.map((row) => header.map((_, index) => row[index]))].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}
