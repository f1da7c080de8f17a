import {count, duration, gib, rate, tokens} from '../../render/numbers.ts'
import type {CompareDocument, CompareRow} from '../documents/index.ts'
import {VERDICTS} from '../documents/verdicts.ts'
import type {Actions} from './check.tsx'
import {Flagged} from './flagged.tsx'
import {Breaking, Table, type TableColumn} from './table.tsx'

/** Published checkpoints beside one another: memory, speed, quality. */
export function CompareView({document, actions = {}}: {document: CompareDocument; actions?: Actions}) {
  const {useWords, press} = actions
  const checkpoint: TableColumn<CompareRow> = {
    title: 'Checkpoint',
    cell: ({hfId, weights, kvCache}) => (
      <>
        {useWords ? (
          <button type="button" class="apply" onClick={() => useWords({model: hfId, weights: '', 'kv-cache': kvCache})}>
            <Breaking text={hfId} />
          </button>
        ) : (
          <Breaking text={hfId} />
        )}
        <span class="below">
          {weights}, {kvCache} cache
        </span>
      </>
    ),
  }
  const bytes: TableColumn<CompareRow> = {title: 'GiB', number: true, cell: ({checkpointBytes}) => gib(checkpointBytes), expendable: true}
  const judged: TableColumn<CompareRow> = {
    title: 'Verdict',
    cell: ({result}) => <span class={`tag ${VERDICTS[result.verdict].tone}`}>{VERDICTS[result.verdict].word}</span>,
  }
  const columns: TableColumn<CompareRow>[] = [
    checkpoint,
    judged,
    bytes,
    {title: 'Context', number: true, cell: ({result}) => tokens(result.deployment.maxModelLen), expendable: true},
    {title: 'At once', number: true, cell: ({requestsHeld}) => (requestsHeld === undefined ? '' : count(requestsHeld)), expendable: true},
    {title: 'First token', number: true, cell: ({result}) => (result.performance ? duration(result.performance.ttftMs.estimate) : ''), expendable: true},
    {title: 'Per token', number: true, cell: ({result}) => (result.performance ? duration(result.performance.tpotMs.estimate) : ''), expendable: true},
    {title: 'tok/s', number: true, cell: ({result}) => (result.performance ? rate(result.performance.outputTokensPerSecond.estimate) : '')},
    {title: 'Quality', cell: ({qualityShort, qualityWords}) => <span title={qualityWords}>{qualityShort}</span>},
  ]
  const refused: TableColumn<CompareRow>[] = [
    checkpoint,
    judged,
    bytes,
    {title: 'Why', cell: ({result}) => <Flagged text={result.reasons[0]?.message ?? ''} press={press} />},
  ]
  return (
    <>
      <section class="card verdict" aria-labelledby="compare-title">
        <h2 id="compare-title">{document.title}</h2>
        {document.groups.map(({name, words: {advice, none}}) => (
          <p key={name} class="reason">
            {document.groups.length > 1 ? `${name}: ` : ''}
            <Flagged text={advice ?? none ?? ''} press={press} />
          </p>
        ))}
      </section>
      {document.groups.map(({name, rows, words: {statements, legends}}) => {
        const [good, bad] = [rows.filter(({result}) => isGood(result.verdict)), rows.filter(({result}) => !isGood(result.verdict))]
        return (
          <section key={name} class="card" aria-label={name}>
            {document.groups.length > 1 && <h2>{name}</h2>}
            {good.length > 0 && <Table caption={`Checkpoints of ${name}`} rows={good} columns={columns} />}
            {bad.length > 0 && (
              <>
                <h3>{good.length > 0 ? 'These cannot be served like this' : 'None can be served like this'}</h3>
                <Table caption={`Checkpoints of ${name} that cannot be served so`} rows={bad} columns={refused} />
              </>
            )}
            {statements.map((text) => (
              <p key={text}>{text}</p>
            ))}
            {legends.map((text) => (
              <p key={text} class="aside">
                {text}
              </p>
            ))}
          </section>
        )
      })}
    </>
  )
}

const isGood = (verdict: CompareRow['result']['verdict']): boolean => verdict === 'fits' || verdict === 'tight'
