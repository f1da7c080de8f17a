import {count, parameters, rate, tokens} from '../../render/numbers.ts'
import type {ModelsDocument, ModelsRow} from '../documents/index.ts'
import {VERDICTS} from '../documents/verdicts.ts'
import type {Actions} from './check.tsx'
import {Flagged} from './flagged.tsx'
import {Table, type TableColumn} from './table.tsx'

/** Less than this share of the parameters at work for a token is told beside the total. */
const MOSTLY_ACTIVE = 0.7

/** The models that a machine can serve, best first. */
export function ModelsView({document, actions = {}}: {document: ModelsDocument; actions?: Actions}) {
  const {machine, rows, complete, unbuilt} = document
  const {useModel, press} = actions
  const columns: TableColumn<ModelsRow>[] = [
    {
      title: 'Model',
      cell: ({id, name, totalParams, activeParams}) => (
        <>
          {useModel ? (
            <button type="button" class="apply" title="Look at it closely" onClick={() => useModel(id)}>
              {name}
            </button>
          ) : (
            name
          )}
          <span class="below">
            {parameters(totalParams)}
            {activeParams < MOSTLY_ACTIVE * totalParams && `, ${parameters(activeParams)} active`}
          </span>
        </>
      ),
    },
    {
      title: 'As',
      cell: ({fit: {weights, tp, pp, dp, publisher}}) => (
        <>
          {weights}
          <span class="below">
            {[tp > 1 && `tp ${tp}`, pp > 1 && `pp ${pp}`, dp > 1 && `dp ${dp}`, publisher === 'community' && 'community'].filter(Boolean).join(' ')}
          </span>
        </>
      ),
    },
    {title: 'Context', number: true, cell: ({fit}) => tokens(fit.maxModelLen)},
    {
      title: 'tok/s per user',
      number: true,
      cell: ({fit: {outputTokensPerSecondPerUser: speed}}) => (speed === undefined ? '' : rate(speed)),
    },
    {
      title: 'Verdict',
      cell: ({fit: {verdict}}) => <span class={`tag ${VERDICTS[verdict].tone}`}>{VERDICTS[verdict].word}</span>,
      expendable: true,
    },
    {title: 'Licence', cell: ({licence}) => licence ?? '', expendable: true},
  ]
  return (
    <>
      <section class={`card verdict ${rows.length > 0 ? 'good' : 'bad'}`} aria-labelledby="models-title">
        <h2 id="models-title">
          <span class="word" data-models={rows.length}>
            {rows.length === 0
              ? 'nothing fits'
              : complete
                ? `${count(rows.length)} ${rows.length === 1 ? 'model fits' : 'models fit'}`
                : `best ${count(rows.length)}`}
          </span>
          <span class="title">{complete ? machine : `of those that fit ${machine}`}</span>
        </h2>
        {unbuilt !== undefined && (
          <p class="reason">
            <Flagged text={unbuilt} press={press} />
          </p>
        )}
        {rows.length === 0 && unbuilt === undefined && <p>No model of the list that matches fits there: fewer words, or a shorter context, leave more.</p>}
        {rows.length > 0 && (
          <p class="aside">
            By a rule of thumb, no measure of quality: size counts, and counts threefold for each year of release; less where quantisation loses quality, where
            the context is short, or where it is slow.
          </p>
        )}
      </section>
      {rows.length > 0 && (
        <section class="card" aria-label="Models that fit">
          <Table caption="Models that fit, best first" rows={rows} columns={columns} />
          {!complete && press && (
            <button type="button" class="more-rows" onClick={() => press('limit', '0')}>
              Show all that fit
            </button>
          )}
        </section>
      )}
    </>
  )
}
