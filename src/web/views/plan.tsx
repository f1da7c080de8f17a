import {count, duration, rate, tokens} from '../../render/numbers.ts'
import type {PlanDocument} from '../documents/index.ts'
import {Chart} from './chart.tsx'
import type {Actions} from './check.tsx'
import {layoutLetters} from '../../render/layout.ts'
import {Choice} from './choice.tsx'
import {pinnedWords} from './deployment.ts'
import {Flagged} from './flagged.tsx'
import {Breaking, Table, type TableColumn} from './table.tsx'

type Planned = PlanDocument['report']['plans'][number]

/** As many as one compares at a glance. */
const MOST_PLANS = 8

/** The best deployments and loads, the front between throughput and speed, and what would reach the limits. */
export function PlanView({document, actions = {}}: {document: PlanDocument; actions?: Actions}) {
  const {title, report, headline, sentences, limits} = document
  const {met, plans, reach = [], refusals, considered} = report
  const {useWords} = actions
  const columns: TableColumn<Planned>[] = [
    ...(useWords
      ? [
          {
            title: '',
            cell: (plan: Planned, index: number) => (
              <button type="button" class="apply" aria-label={`Take plan ${index + 1}`} onClick={() => useWords(pinnedWords(plan))}>
                {index + 1}
              </button>
            ),
          },
        ]
      : []),
    {
      title: 'Plan',
      cell: ({deployment, model}) => (
        <>
          <span class="together">{deployment.engine}</span>, <span class="together">{layoutLetters(deployment)}</span>,{' '}
          <span class="together">{deployment.kvCache} cache</span>
          <span class="below">
            <Breaking text={model.hfId} />
          </span>
        </>
      ),
    },
    {
      title: 'In flight',
      number: true,
      cell: ({workload}) => (typeof workload?.concurrency === 'number' ? count(workload.concurrency) : (workload?.concurrency ?? '-')),
      expendable: true,
    },
    {title: 'tok/s', number: true, cell: ({performance}) => (performance ? rate(performance.outputTokensPerSecond.estimate) : '')},
    {title: 'at least', number: true, cell: ({performance}) => (performance ? rate(performance.outputTokensPerSecond.low) : ''), expendable: true},
    {title: 'per user', number: true, cell: ({performance}) => (performance ? rate(1000 / performance.tpotMs.estimate) : '')},
    {title: 'First token', number: true, cell: ({performance}) => (performance ? duration(performance.ttftMs.estimate) : '')},
    {title: 'Context', number: true, cell: ({deployment}) => tokens(deployment.maxModelLen), expendable: true},
  ]
  return (
    <>
      <section class={`card verdict ${met ? 'good' : 'bad'}`} aria-labelledby="plan-title">
        <h2 id="plan-title">
          <span class="word" data-met={String(met)}>
            {met ? 'best' : plans.length === 0 ? 'nothing starts' : limits === '' ? 'no plan keeps up' : 'no plan keeps the limits'}
          </span>
          <span class="title">{title}</span>
        </h2>
        <p>{headline}</p>
        {limits !== '' && <p class="aside">Limits: {limits}</p>}
        {sentences.map((sentence) => (
          <p key={sentence} class="reason">
            <Flagged text={sentence} press={actions.press} />
          </p>
        ))}
      </section>
      {reach.length > 0 && (
        <section class="card advice" aria-labelledby="reach-title">
          <h2 id="reach-title">{limits === '' ? 'What would help' : 'What would keep them'}</h2>
          <ul>
            {reach.map(({flags, outcome}) => (
              <Choice key={flags} words={flags} outcome={outcome} take={actions.addFlags && (() => actions.addFlags?.(flags))} />
            ))}
          </ul>
        </section>
      )}
      {plans.length > 0 && (
        <section class="card" aria-labelledby="plans-title">
          <h2 id="plans-title">
            Plans <span class="aside">the best load of each deployment, of {count(considered)} that were looked at</span>
          </h2>
          <Table
            caption="Plans, best first"
            rows={plans}
            columns={columns}
            rowClass={(_, index) => (index === 0 && met ? 'first' : undefined)}
            most={useWords ? MOST_PLANS : undefined}
          />
        </section>
      )}
      <FrontView document={document} />
      {refusals.length > 0 && (
        <section class="card">
          <details>
            <summary>
              <h2>Refused</h2>
            </summary>
            <ul>
              {refusals.map(({code, message, remedy, count: times, examples}) => (
                <li key={`${code} ${message}`}>
                  {count(times)} {times === 1 ? 'time' : 'times'}:{' '}
                  <Flagged text={`${message}${remedy === undefined ? '' : `; ${remedy}`}`} press={actions.press} /> <span class="aside">{examples[0]}</span>
                </li>
              ))}
            </ul>
          </details>
        </section>
      )}
    </>
  )
}

function FrontView({document}: {document: PlanDocument}) {
  if (document.report.front.length === 0) return null
  return (
    <section class="card" aria-labelledby="front-title">
      <h2 id="front-title">
        Throughput against speed{' '}
        <span class="aside">
          the line joins what no other deployment or load beats in both; <span class="key-3">dots beside it</span> are the plans above
        </span>
      </h2>
      <FrontChart document={document} />
      <details>
        <summary>As a table</summary>
        <Table
          caption="Points of the front"
          rows={document.report.front}
          columns={[
            {title: 'Engine', cell: ({engine}) => engine},
            {title: 'Weights', cell: ({weights}) => weights},
            {title: 'KV', cell: ({kvCache}) => kvCache},
            {title: 'Layout', cell: (point) => layoutLetters(point)},
            {title: 'In flight', number: true, cell: ({concurrency}) => (typeof concurrency === 'number' ? count(concurrency) : (concurrency ?? '-'))},
            {title: 'tok/s per user', number: true, cell: ({outputTokensPerSecondPerUser}) => rate(outputTokensPerSecondPerUser)},
            {title: 'tok/s per GPU', number: true, cell: ({outputTokensPerSecondPerGpu}) => rate(outputTokensPerSecondPerGpu)},
          ]}
        />
      </details>
    </section>
  )
}

/** Throughput for each GPU against speed for each user, with the listed plans as points. */
export function FrontChart({document: {report, points}, heading}: {document: PlanDocument; heading?: readonly string[]}) {
  const {front} = report
  const [quick, busy] = [front[0], front.at(-1)]
  return (
    <Chart
      title="Throughput for each GPU against speed for each user"
      description={
        quick && busy
          ? `From ${rate(quick.outputTokensPerSecondPerUser)} tok/s for each user at ${rate(quick.outputTokensPerSecondPerGpu)} for each GPU, to ${rate(busy.outputTokensPerSecondPerUser)} at ${rate(busy.outputTokensPerSecondPerGpu)}.`
          : 'There is no point.'
      }
      xTitle="tok/s for each user"
      yTitle="tok/s for each GPU"
      words={(value) => (value === 0 ? '0' : rate(value).replace(/\.0$/, ''))}
      height={260}
      {...(heading && {heading})}
      series={[
        {
          name: 'what nothing else beats in both',
          colour: 1,
          line: true,
          dots: true,
          points: front.map((point) => ({
            x: point.outputTokensPerSecondPerUser,
            y: point.outputTokensPerSecondPerGpu,
            label: `${point.engine} ${point.weights} ${layoutLetters(point)}, ${point.kvCache} cache, ${point.concurrency ?? '-'} in flight: ${rate(point.outputTokensPerSecondPerUser)} tok/s for each user, ${rate(point.outputTokensPerSecondPerGpu)} for each GPU`,
          })),
        },
        {
          name: 'the best plans',
          colour: 3,
          dots: true,
          points: points.map(({perUser, perGpu}, index) => ({x: perUser, y: perGpu, label: `plan ${index + 1}`})),
        },
      ]}
    />
  )
}
