import {count} from '../../render/numbers.ts'
import type {CapacityDocument} from '../documents/index.ts'
import {layoutLetters} from '../../render/layout.ts'
import type {Actions} from './check.tsx'
import {Flagged} from './flagged.tsx'
import {Table, type TableColumn} from './table.tsx'

type Option = CapacityDocument['report']['options'][number]
type Period = Option['periods'][number]

const percent = (share: number | undefined): string => (share === undefined ? 'down' : `${Math.round(share * 100)}%`)
const money = (amount: number | undefined): string => (amount === undefined ? '-' : amount >= 1000 ? count(amount) : amount.toFixed(2))

/** How many machines of each kind, and what becomes of them. */
export function CapacityView({document: {report, words}, actions: {press} = {}}: {document: CapacityDocument; actions?: Actions}) {
  const feasible = report.options.filter((option) => option.feasible)
  const [best] = feasible
  const priced = feasible.some(({periods}) => periods[0]?.costPerMonth !== undefined)
  const first = ({periods}: Option): Period => periods[0]!
  const columns: TableColumn<Option>[] = [
    {
      title: 'Machine',
      cell: ({machine, placements}) => (
        <>
          {machine}
          {placements.map(({name, result: {deployment}}) => (
            <span key={name} class="below">
              {placements.length > 1 && `${name}: `}
              {deployment.engine} {deployment.weights} {layoutLetters(deployment)}
            </span>
          ))}
        </>
      ),
    },
    {title: 'Number', number: true, cell: (option) => count(first(option).machines)},
    {title: 'Safe', number: true, cell: (option) => (first(option).cautious ? count(first(option).cautious!.machines) : '-')},
    {title: 'GPUs', number: true, cell: (option) => count(first(option).gpus)},
    {title: 'Used', number: true, cell: (option) => percent(first(option).utilisation)},
    {title: 'One lost', number: true, cell: (option) => percent(first(option).utilisationAfterLoss), expendable: true},
    {
      title: 'kW at most',
      number: true,
      cell: (option) => (first(option).watts === undefined ? '-' : (first(option).watts! / 1000).toFixed(1)),
      expendable: true,
    },
    ...(priced ? [{title: 'A month', number: true, cell: (option: Option) => money(first(option).costPerMonth)}] : []),
  ]
  return (
    <>
      <section class={`card verdict ${report.feasible ? 'good' : 'bad'}`} aria-labelledby="capacity-title">
        <h2 id="capacity-title">
          <span class="word" data-feasible={String(report.feasible)}>
            {best ? `${count(best.periods[0]!.machines)} machine${best.periods[0]!.machines === 1 ? '' : 's'}` : 'no machine carries it'}
          </span>
          {best && <span class="title">{best.machine}</span>}
        </h2>
        {words.demands.map((text) => (
          <p key={text}>{text}</p>
        ))}
        {words.notes.map((text) => (
          <p key={text} class="aside">
            <Flagged text={text} press={press} />
          </p>
        ))}
        {[...words.best, ...words.problems].map((text) => (
          <p key={text} class="reason">
            <Flagged text={text} press={press} />
          </p>
        ))}
      </section>
      {feasible.length > 0 && (
        <section class="card" aria-labelledby="options-title">
          <h2 id="options-title">Machines</h2>
          <Table caption="Kinds of machines, best first" rows={feasible} columns={columns} rowClass={(_, index) => (index === 0 ? 'first' : undefined)} />
        </section>
      )}
      {best && best.periods.length > 1 && (
        <section class="card" aria-labelledby="growth-title">
          <h2 id="growth-title">As the load grows</h2>
          <Table
            caption="Machines by month"
            rows={best.periods}
            columns={[
              {title: 'Month', number: true, cell: ({month}) => String(month)},
              {title: 'Machines', number: true, cell: ({machines}) => count(machines)},
              {title: 'Safe', number: true, cell: ({cautious}) => (cautious ? count(cautious.machines) : '-')},
              {title: 'Used', number: true, cell: ({utilisation}) => percent(utilisation)},
              ...(priced ? [{title: 'Cost a month', number: true, cell: ({costPerMonth}: Period) => money(costPerMonth)}] : []),
            ]}
          />
        </section>
      )}
    </>
  )
}
