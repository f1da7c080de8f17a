import {withoutActing} from '../../core/acting-characters.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import {count, duration, gib, rate, tokens} from '../../render/numbers.ts'
import {isYes} from '../../planner/answer/index.ts'
import {type CapacityDocument, type CheckDocument, type CompareDocument, dataVersionOf, type PlanDocument, type ReportDocument} from '../documents/index.ts'
import {VERDICTS} from '../documents/verdicts.ts'
import {layoutLetters} from '../../render/layout.ts'

/** Text that stays text: no markup, no mention of a person, no HTML, one line. */
export const plainly = (text: string): string =>
  withoutActing(text.replaceAll(/[\r\n\t]+/g, ' '), () => '?')
    .replaceAll(/[\\`*_[\]<>|#~]/g, '\\$&')
    .replaceAll('@', '&#64;')
    .replaceAll('://', ':&#47;&#47;')

/** A block of code whose fence is longer than any in it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`
}

interface Column<T> {
  title: string
  value(row: T): string
  right?: boolean
}

function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({title}) => title)),
    line(columns.map(({right}) => (right ? '--:' : ':--'))),
    ...rows.map((row) => line(columns.map(({value}) => plainly(value(row))))),
  ].join('\n')
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')

/** An answer as Markdown. */
export function markdownReport(document: ReportDocument, {version}: {version: string}): string {
  const data = dataVersionOf(document)
  const parts = [
    `## ${plainly(document.title)}`,
    ...partsOf(document),
    fenced(document.command, 'sh'),
    `servefit ${version}${data === undefined ? '' : `, data ${data}`}; intervals hold about four measurements in five.`,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function partsOf(document: ReportDocument): string[] {
  switch (document.kind) {
    case 'check':
      return checkParts(document)
    case 'plan':
      return planParts(document)
    case 'compare':
      return compareParts(document)
    case 'capacity':
      return capacityParts(document)
  }
}

function checkParts({verdict, engine, memory, facts, passedOver, advice, start}: CheckDocument): string[] {
  const {totalBytes, terms, perWhat} = memory
  const command = start?.formats.find(({id}) => id === 'command')
  return [
    `**${verdict.word}**${verdict.headline === undefined ? '' : `: ${plainly(verdict.headline)}`}`,
    `as ${plainly(verdict.as)}, ${plainly(engine)}`,
    list(verdict.reasons.map(plainly)),
    advice.changes.length + advice.holders.length > 0 ? `What would help:` : '',
    list([
      ...advice.changes.map(({flags, outcome}) => `${plainly(flags)}: ${plainly(outcome)}`),
      ...advice.holders.map(({title, memoryBytes, outcome}) => `${plainly(title)}, ${gib(memoryBytes)} GiB: ${plainly(outcome)}`),
    ]),
    `Memory per ${perWhat}: ${gib(sumBytes(terms))} of ${gib(totalBytes)} GiB`,
    table(terms, [
      {title: 'Term', value: ({name}) => name},
      {title: 'Size', value: ({bytes}) => bytesInWords(bytes), right: true},
      {title: 'Because', value: ({because}) => because},
    ]),
    list(facts.map(([label, text]) => `${plainly(label)}: ${plainly(text)}`)),
    list(passedOver.map(plainly)),
    command ? fenced(command.text, 'sh') : '',
  ]
}

function planParts({report, limits, headline, sentences}: PlanDocument): string[] {
  const {met, plans, reach = [], refusals} = report
  const word = met ? 'best' : plans.length === 0 ? 'nothing starts' : limits === '' ? 'no plan keeps up' : 'no plan keeps the limits'
  return [
    `**${word}**: ${plainly(headline)}`,
    limits === '' ? '' : `Limits: ${plainly(limits)}`,
    list(sentences.map(plainly)),
    plans.length === 0
      ? ''
      : table(plans, [
          {title: 'Engine', value: ({deployment}) => deployment.engine},
          {title: 'Checkpoint', value: ({model}) => model.hfId},
          {title: 'KV', value: ({deployment}) => deployment.kvCache},
          {title: 'Layout', value: ({deployment}) => layoutLetters(deployment)},
          {title: 'In flight', value: ({workload}) => String(workload?.concurrency ?? '-'), right: true},
          {title: 'tok/s', value: ({performance}) => (performance ? rate(performance.outputTokensPerSecond.estimate) : ''), right: true},
          {title: 'at least', value: ({performance}) => (performance ? rate(performance.outputTokensPerSecond.low) : ''), right: true},
          {title: 'per user', value: ({performance}) => (performance ? rate(1000 / performance.tpotMs.estimate) : ''), right: true},
          {title: 'First token', value: ({performance}) => (performance ? duration(performance.ttftMs.estimate) : ''), right: true},
        ]),
    list(reach.map(({flags, outcome}) => `${plainly(flags)}: ${plainly(outcome)}`)),
    list(refusals.map(({count: times, message}) => `refused ${count(times)} ${times === 1 ? 'time' : 'times'}: ${plainly(message)}`)),
  ]
}

function compareParts({groups}: CompareDocument): string[] {
  return groups.flatMap(({name, rows, words: {advice, none, statements, legends}}) => [
    groups.length > 1 ? `### ${plainly(name)}` : '',
    plainly(advice ?? none ?? ''),
    table(rows, [
      {title: 'Checkpoint', value: ({hfId}) => hfId},
      {title: 'KV', value: ({kvCache}) => kvCache},
      {title: 'Verdict', value: ({result}) => VERDICTS[result.verdict].word},
      {title: 'GiB', value: ({checkpointBytes}) => gib(checkpointBytes), right: true},
      {title: 'Context', value: ({result}) => (isYes(result) ? tokens(result.deployment.maxModelLen) : ''), right: true},
      {title: 'First token', value: ({result}) => (result.performance ? duration(result.performance.ttftMs.estimate) : ''), right: true},
      {title: 'tok/s', value: ({result}) => (result.performance ? rate(result.performance.outputTokensPerSecond.estimate) : ''), right: true},
      {title: 'Quality', value: ({qualityShort}) => qualityShort},
    ]),
    list([...statements, ...legends].map(plainly)),
  ])
}

type Option = CapacityDocument['report']['options'][number]

function capacityParts({report, words}: CapacityDocument): string[] {
  const feasible = report.options.filter((option) => option.feasible)
  return [
    list([...words.demands, ...words.notes].map(plainly)),
    feasible.length === 0
      ? ''
      : table(feasible, [
          {title: 'Machine', value: ({machine}) => machine},
          {title: 'Number', value: ({periods}) => count(periods[0]!.machines), right: true},
          {title: 'Safe', value: ({periods}) => (periods[0]!.cautious ? count(periods[0]!.cautious.machines) : '-'), right: true},
          {title: 'GPUs', value: ({periods}) => count(periods[0]!.gpus), right: true},
          {title: 'Used', value: ({periods}) => `${Math.round(periods[0]!.utilisation * 100)}%`, right: true},
          ...(feasible.some(({periods}) => periods[0]!.costPerMonth !== undefined)
            ? [{title: 'A month', value: ({periods}: Option) => (periods[0]!.costPerMonth === undefined ? '-' : count(periods[0]!.costPerMonth)), right: true}]
            : []),
          {
            title: 'Layout',
            value: ({placements}) =>
              placements.map(({result: {deployment}}) => `${deployment.engine} ${deployment.weights} ${layoutLetters(deployment)}`).join('; '),
          },
        ]),
    list([...words.best, ...words.problems].map(plainly)),
  ]
}
