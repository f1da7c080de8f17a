import {count, duration, gib, rate} from '../../render/numbers.ts'
import type {CheckDocument, CurvePoint} from '../documents/index.ts'
import {Chart} from './chart.tsx'
import {Memory} from './memory.tsx'
import {Table} from './table.tsx'
import {Choice} from './choice.tsx'
import {Flagged, type PressFlag} from './flagged.tsx'

/** What of an answer may be acted on; absent in a report, where nothing can be pressed. */
export interface Actions {
  /** Asks what this command asks. */
  apply?(command: string): void
  /** Asks the same with these flags. */
  addFlags?(flags: string): void
  /** Asks about these cards. */
  useGpu?(spec: string): void
  useModel?(name: string): void
  /** Starts from a listed plan, a checkpoint. */
  useWords?(words: Record<string, string>): void
  /** Takes a flag that a sentence names. */
  press?: PressFlag
}

/** Less reads 0.0 ms. */
const LEAST_SHOWN_MS = 0.05

/** The answer to "does it fit, and how fast?". */
export function CheckView({document, actions = {}, whole = false}: {document: CheckDocument; actions?: Actions; whole?: boolean}) {
  const {verdict, title, engine, facts, passedOver, memory} = document
  return (
    <>
      <section class={`card verdict ${verdict.tone}`} aria-labelledby="verdict-title">
        <h2 id="verdict-title">
          <span class="word" data-verdict={document.result.verdict}>
            {verdict.word}
          </span>
          <span class="title">{title}</span>
        </h2>
        {verdict.headline !== undefined && <p class="headline">{verdict.headline}</p>}
        <p>
          as {verdict.as} <span class="aside">{engine}</span>
        </p>
        {verdict.reasons.map((reason) => (
          <p key={reason} class="reason">
            <Flagged text={reason} press={actions.press} />
          </p>
        ))}
      </section>
      <AdviceView document={document} actions={actions} />
      <Memory memory={memory} open={whole} />
      {facts.length > 0 && (
        <section class="card" aria-labelledby="facts-title">
          <h2 id="facts-title">{factsTitle(document)}</h2>
          <dl class="facts">
            {facts.map(([label, text], index) => (
              <div key={String(index)}>
                <dt>{label}</dt>
                <dd>
                  <Flagged text={text} press={actions.press} />
                </dd>
              </div>
            ))}
          </dl>
          {passedOver.length > 0 && (
            <ul class="aside passed-over" aria-label="Builds that were passed over">
              {passedOver.map((text) => (
                <li key={text}>
                  <Flagged text={text} press={actions.press} />
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
      <CurveView document={document} />
      <BreakdownView document={document} open={whole} />
    </>
  )
}

function factsTitle({result: {performance, verdict}}: CheckDocument): string {
  if (performance) return 'Context, users and speed'
  return verdict === 'fits' || verdict === 'tight' ? 'Texts and speed' : 'What else is known'
}

function AdviceView({document: {advice, result}, actions: {apply, useGpu, useModel}}: {document: CheckDocument; actions: Actions}) {
  const {changes, fitting} = advice
  // What a change asks already is not offered a second time.
  const holders = advice.holders.filter(({spec}) => !changes.some(({flags}) => flags === `--gpu ${spec}`))
  if (changes.length + holders.length + fitting.length === 0) return null
  return (
    <section class="card advice" aria-labelledby="advice-title">
      <h2 id="advice-title">{result.verdict === 'tight' ? 'What would make it fit with room' : 'What would help'}</h2>
      <ul>
        {changes.map(({flags, outcome, command}) => (
          <Choice key={flags} words={flags} outcome={outcome} take={apply && (() => apply(command))} />
        ))}
        {holders.map(({title, memoryBytes, outcome, spec}) => (
          <Choice key={spec} words={title} outcome={`${gib(memoryBytes)} GiB: ${outcome}`} take={useGpu && (() => useGpu(spec))} />
        ))}
        {fitting.map((name) => (
          <Choice key={name} words={name} outcome="fits here" take={useModel && (() => useModel(name.replace(/ \(.*$/, '')))} />
        ))}
      </ul>
    </section>
  )
}

/** 0, 2.5, 40, 1,200 */
const axisWords = (value: number): string => (value === 0 ? '0' : rate(value).replace(/\.0$/, ''))

function CurveView({document: {curve, result}}: {document: CheckDocument}) {
  if (curve.length < 2) return null
  const asked = typeof result.workload?.concurrency === 'number' ? result.workload.concurrency : undefined
  const mark = asked === undefined ? undefined : {x: asked, label: `${count(asked)} user${asked === 1 ? '' : 's'}`}
  const last = curve.at(-1)!
  const said = (point: CurvePoint) =>
    `${count(point.users)} in flight: ${rate(point.perUser.estimate)} tok/s each, ${rate(point.inAll.estimate)} tok/s in total`
  return (
    <section class="card" aria-labelledby="curve-title">
      <h2 id="curve-title">
        Speed over users <span class="aside">of this deployment; bands hold about four measurements in five</span>
      </h2>
      <div class="charts">
        <Chart
          title="Speed for each user over users"
          description={`${said(curve[0]!)}; ${said(last)}.`}
          xTitle="requests in flight"
          yTitle="tok/s for each user"
          doubling
          words={axisWords}
          xWords={count}
          {...(mark && {mark})}
          series={[
            {
              name: 'per user',
              colour: 1,
              line: true,
              points: curve.map(({users, perUser}) => ({x: users, y: perUser.estimate, low: perUser.low, high: perUser.high})),
            },
          ]}
        />
        <Chart
          title="Throughput over users"
          description={`${said(curve[0]!)}; ${said(last)}.`}
          xTitle="requests in flight"
          yTitle="tok/s in total"
          doubling
          words={axisWords}
          xWords={count}
          {...(mark && {mark})}
          series={[
            {name: 'in total', colour: 2, line: true, points: curve.map(({users, inAll}) => ({x: users, y: inAll.estimate, low: inAll.low, high: inAll.high}))},
          ]}
        />
      </div>
      <details>
        <summary>As a table</summary>
        <Table
          caption="Speed over users"
          rows={curve}
          columns={[
            {title: 'In flight', number: true, cell: ({users}) => count(users)},
            {title: 'tok/s each', number: true, cell: ({perUser}) => `${rate(perUser.estimate)} (${rate(perUser.low)} to ${rate(perUser.high)})`},
            {title: 'tok/s in total', number: true, cell: ({inAll}) => `${rate(inAll.estimate)} (${rate(inAll.low)} to ${rate(inAll.high)})`},
            {title: 'First token', number: true, cell: ({firstTokenMs}) => `${duration(firstTokenMs.estimate)} (up to ${duration(firstTokenMs.high)})`},
            {title: '', cell: ({waits}) => (waits ? 'some wait' : '')},
          ]}
        />
      </details>
    </section>
  )
}

function BreakdownView({document: {result}, open}: {document: CheckDocument; open: boolean}) {
  const {performance} = result
  if (!performance) return null
  return (
    <section class="card">
      <details open={open}>
        <summary>
          <h2>Where the time goes</h2>
        </summary>
        <Table
          caption="Parts of the time of a token"
          rows={performance.breakdown.filter(({ms}) => ms >= LEAST_SHOWN_MS)}
          columns={[
            {title: 'Phase', cell: ({phase}) => (phase === 'prefill' ? 'first token' : 'each further')},
            {title: 'Part', cell: ({name}) => name},
            {title: 'Time', number: true, cell: ({ms}) => duration(ms)},
            {title: 'Because', cell: ({because}) => because},
          ]}
        />
        <p class="aside">The speed rests on the calibration "{performance.basis.calibration}".</p>
      </details>
    </section>
  )
}
