import {flagsInLabels} from '../question/labels.ts'

/** One way on: a button where the page can take it, else its words, with what it leads to. */
export function Choice({words, outcome, take}: {words: string; outcome: string; take?: (() => void) | undefined}) {
  return (
    <li>
      {take ? (
        <button type="button" class="apply" onClick={take}>
          {flagsInLabels(words)}
        </button>
      ) : (
        <code>{words}</code>
      )}{' '}
      <span>{outcome}</span>
    </li>
  )
}
