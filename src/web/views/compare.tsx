import {count, duration, gib, rate, tokens} from '../../render/numbers.ts'
import type {CompareDocument, CompareRow} from '../documents/index.ts'
import {VERDICTS} from '../documents/verdicts.ts'
import type {Actions} from './check.tsx'
import {Table, type TableColumn} from './table.tsx'

/** Published checkpoints beside one another: memory, speed, quality. */
export function CompareView({document, actions: {useWords} = {}}: {document: CompareDocument; actions?: Actions}) {
  const columns: TableColumn<CompareRow>[] = [
    {
      title: 'Checkpoint',
      cell: ({hfId, kvCache}) =>
        useWords ? (
          <button type="button" class="apply" onClick={() => useWords({model: hfId, weights: '', 'kv-cache': kvCache})}>
            {hfId}
          </button>
        ) : (
          hfId
        ),
    },
    {title: 'Weights', cell: ({weights}) => weights},
    {title: 'KV', cell: ({kvCache}) => kvCache},
    {title: 'Verdict', cell: ({result}) => <span class={`tag ${VERDICTS[result.verdict].tone}`}>{VERDICTS[result.verdict].word}</span>},
    {title: 'GiB', number: true, cell: ({checkpointBytes}) => gib(checkpointBytes)},
    {title: 'Context', number: true, cell: ({result}) => (isGood(result.verdict) ? tokens(result.deployment.maxModelLen) : ''), expendable: true},
    {title: 'At once', number: true, cell: ({requestsHeld}) => (requestsHeld === undefined ? '' : count(requestsHeld)), expendable: true},
    {title: 'First token', number: true, cell: ({result}) => (result.performance ? duration(result.performance.ttftMs.estimate) : '')},
    {title: 'Per token', number: true, cell: ({result}) => (result.performance ? duration(result.performance.tpotMs.estimate) : ''), expendable: true},
    {title: 'tok/s', number: true, cell: ({result}) => (result.performance ? rate(result.performance.outputTokensPerSecond.estimate) : '')},
    {title: 'Quality', cell: ({qualityShort, qualityWords}) => <span title={qualityWords}>{qualityShort}</span>},
    {title: 'Why not', cell: ({result}) => (isGood(result.verdict) ? '' : (result.reasons[0]?.message ?? '')), expendable: true},
  ]
  return (
    <>
      <section class="card" aria-labelledby="compare-title">
        <h2 id="compare-title">{document.title}</h2>
        {document.groups.map(({name, words: {advice, none}}) => (
          <p key={name} class="reason">
            {document.groups.length > 1 ? `${name}: ` : ''}
            {advice ?? none}
          </p>
        ))}
      </section>
      {document.groups.map(({name, rows, words: {statements, legends}}) => (
        <section key={name} class="card" aria-label={name}>
          {document.groups.length > 1 && <h2>{name}</h2>}
          <Table
            caption={`Checkpoints of ${name}`}
            rows={rows}
            columns={columns.filter(({title}) => title !== 'Why not' || rows.some(({result}) => !isGood(result.verdict)))}
          />
          {statements.map((text) => (
            <p key={text}>{text}</p>
          ))}
          {legends.map((text) => (
            <p key={text} class="aside">
              {text}
            </p>
          ))}
        </section>
      ))}
    </>
  )
}

const isGood = (verdict: CompareRow['result']['verdict']): boolean => verdict === 'fits' || verdict === 'tight'
