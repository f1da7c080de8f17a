import type {CapacityReport, FleetOption, Period, Placement} from '../planner/capacity/index.ts'
import type {Deployment} from '../core/deployment.ts'
import {limitsInWords} from './plan.ts'
import {count, duration, rate} from './numbers.ts'
import {harmless, type Paint, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

const UNIT_WORDS = {requestsPerSecond: 'requests/s', users: 'users'}
const BOUND_WORDS = {
  limits: 'the limits',
  percentile: 'the percentile',
  utilisation: 'the share of saturation that is planned with',
  cache: 'room in the cache',
}

const percent = (share: number): string => `${Math.round(share * 100)}%`
const money = (amount: number): string => (amount >= 1000 ? count(Math.round(amount)) : amount.toFixed(2))

/** `capacity` for people: a line for each kind of machine, how the best is laid out, and how it grows. */
export function renderCapacity(report: CapacityReport, {columns, colour}: {columns: number; colour: boolean}): string {
  const style = paint(colour)
  const lines = report.demands.map((demand) => wrap(demandWords(demand), columns - 2, 2))
  lines[0] = style.bold(lines[0] ?? '')
  lines.push('')
  const feasible = report.options.filter((option) => option.feasible)
  if (feasible.length > 0) lines.push(optionTable(feasible, columns).trimEnd(), '')
  for (const option of report.options.filter((candidate) => !candidate.feasible))
    lines.push(
      ...option.problems.map(({name, message}) => `  ${wrap(`${harmless(option.machine)}: ${harmless(name)} is not carried: ${message}`, columns - 4, 4)}`),
    )
  const [best] = feasible
  if (best) lines.push(...bestLines(best, report, columns, style))
  return `${lines.join('\n').trimEnd()}\n`
}

function demandWords({name, unit, amount, thinkSeconds, inputTokens, outputTokens, slo, growthPerMonth, trace}: CapacityReport['demands'][number]): string {
  const load = trace
    ? `a trace of ${count(trace.requests)} requests, ${rate(trace.peakRequestsPerSecond)} requests/s in its busiest minute`
    : `${Number.isInteger(amount) ? count(amount) : rate(amount)} ${UNIT_WORDS[unit]}${thinkSeconds === undefined ? (unit === 'users' ? ' in flight' : '') : `, ${thinkSeconds} s between an answer and the next request`}`
  const limits = slo ? limitsInWords(slo) : ''
  const growth = growthPerMonth === 0 ? '' : `, ${(growthPerMonth * 100).toFixed(1).replace(/\.0$/, '')}% more each month`
  return `${harmless(name)}: ${load}${growth}, prompts of ${count(inputTokens)} and answers of ${count(outputTokens)} tokens${limits === '' ? '' : `; ${limits}`}`
}

function optionTable(options: readonly FleetOption[], columns: number): string {
  const first = ({periods}: FleetOption): Period => periods[0]!
  const priced = options.some((option) => first(option).costPerMonth !== undefined)
  const shown: Column<FleetOption>[] = [
    {title: 'Machine', value: ({machine}) => harmless(machine)},
    {title: 'Number', value: (option) => count(first(option).machines), right: true},
    {title: 'GPUs', value: (option) => count(first(option).gpus), right: true},
    {title: 'Used', value: (option) => percent(first(option).utilisation), right: true},
    {title: 'One lost', value: (option) => lossWords(first(option)), right: true},
    {title: 'kW at most', value: (option) => (first(option).watts === undefined ? '-' : (first(option).watts! / 1000).toFixed(1)), right: true, expendable: 1},
    ...(priced
      ? [{title: 'A month', value: (option: FleetOption) => (first(option).costPerMonth === undefined ? '-' : money(first(option).costPerMonth!)), right: true}]
      : []),
    // Several models are told one by one below.
    ...(options.every(({placements}) => placements.length === 1)
      ? [{title: 'Layout', value: ({placements}: FleetOption) => layoutOf(placements[0]!.result.deployment)}]
      : []),
  ]
  return table(options, shown, columns)
}

const lossWords = ({utilisationAfterLoss}: Period): string => (utilisationAfterLoss === undefined ? 'down' : percent(utilisationAfterLoss))

function layoutOf({engine, weights, tp, pp, dp, ep, dpAttention}: Deployment): string {
  return `${engine} ${weights} tp ${tp}${pp > 1 ? ` pp ${pp}` : ''}${dpAttention ? ' attn-dp' : dp > 1 ? ` dp ${dp}` : ''}${ep > 1 ? ` ep ${ep}` : ''}`
}

function bestLines(best: FleetOption, report: CapacityReport, columns: number, style: Paint): string[] {
  const lines: string[] = []
  const say = (text: string, indent = 2) => lines.push(`${' '.repeat(indent)}${wrap(text, columns - indent - 2, indent + 2)}`)
  say(style.bold(`${best.machine}${report.options.length > 1 ? ', the first of these' : ''}`))
  for (const placement of best.placements) {
    const {unit} = report.demands.find(({name}) => name === placement.name)!
    say(`${report.demands.length > 1 ? `${harmless(placement.name)}: ` : ''}${placementWords(placement, unit, best)}`)
  }
  const now = best.periods[0]!
  if (now.utilisationAfterLoss === undefined) say('When a machine is lost a model is not served at all: --spare 1 keeps one more.')
  else if (now.utilisationAfterLoss > 1)
    say(
      `When a machine is lost the rest get ${percent(now.utilisationAfterLoss)} of what they carry: the limits are broken until it is back. --spare 1 keeps one more.`,
    )
  else say(`When a machine is lost the rest carry on, at ${percent(now.utilisationAfterLoss)} of what they carry.`)
  if (now.watts !== undefined)
    say(
      `Energy is an upper bound: ${best.powerOf === 'system' ? 'the rated power of the systems' : 'the rated power of the GPUs alone, without hosts'}, all the time: ${count(Math.round(now.kwhPerMonth!))} kWh a month${now.energyCostPerMonth === undefined ? '' : `, ${money(now.energyCostPerMonth)}`}.`,
    )
  if (best.periods.length > 1)
    lines.push(
      '',
      ...periodTable(best, report, columns - 2)
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
    )
  return lines
}

function placementWords(
  {gpus, carries, limitedBy, result, shareWithinLimits}: Placement,
  unit: 'requestsPerSecond' | 'users',
  {gpusPerMachine}: FleetOption,
): string {
  const {deployment, performance} = result
  const whole = gpus === gpusPerMachine
  const speeds = performance
    ? `: first token ${duration(performance.ttftMs.estimate)} (to ${duration(performance.ttftMs.high)}), ${rate(1000 / performance.tpotMs.estimate)} tok/s for each user (from ${rate(1000 / performance.tpotMs.high)})`
    : ''
  const share = shareWithinLimits === undefined ? '' : `, ${percent(shareWithinLimits)} of simulated requests within the limits`
  return `${whole ? 'each' : `each part of ${gpus} GPU${gpus === 1 ? '' : 's'}`} carries ${rate(carries)} ${UNIT_WORDS[unit]} as ${layoutOf(deployment)}, ${deployment.kvCache} cache${speeds}${share}; bounded by ${BOUND_WORDS[limitedBy]}`
}

function periodTable(best: FleetOption, {demands}: CapacityReport, columns: number): string {
  const priced = best.periods.some(({costPerMonth}) => costPerMonth !== undefined)
  return table(
    best.periods,
    [
      {title: 'Month', value: ({month}) => String(month), right: true},
      ...demands.map(
        ({name, unit}, index): Column<Period> => ({
          title: demands.length > 1 ? harmless(name).slice(0, 14) : UNIT_WORDS[unit],
          value: ({units}) => rate(units[index]!.demand),
          right: true,
        }),
      ),
      {title: 'Machines', value: ({machines}) => count(machines), right: true},
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
