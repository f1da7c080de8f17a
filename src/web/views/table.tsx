import {type ComponentChildren, Fragment} from 'preact'
import {useState} from 'preact/hooks'

export interface TableColumn<T> {
  title: string
  cell(row: T, index: number): ComponentChildren
  /** Numbers stand to the right. */
  number?: boolean
  /** Left out on a narrow screen. */
  expendable?: boolean
}

interface TableProps<T> {
  caption: string
  rows: readonly T[]
  columns: readonly TableColumn<T>[]
  /** Of a row that stands out. */
  rowClass?(row: T, index: number): string | undefined
  /** Rows beyond these are shown when they are asked for; absent: all are. */
  most?: number | undefined
}

/** A table that scrolls by itself where the screen is narrower. */
export function Table<T>({caption, rows, columns, rowClass, most = rows.length}: TableProps<T>) {
  const [all, setAll] = useState(false)
  const shown = all || rows.length <= most + 1 ? rows : rows.slice(0, most)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map(({title, number, expendable}) => (
                <th key={title} scope="col" class={classOf(number, expendable)}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={String(index)} class={rowClass?.(row, index)}>
                {columns.map(({title, cell, number, expendable}) => (
                  <td key={title} class={classOf(number, expendable)}>
                    {cell(row, index)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {shown.length < rows.length && (
        <button type="button" class="more-rows" onClick={() => setAll(true)}>
          Show all {rows.length}
        </button>
      )}
    </>
  )
}

const classOf = (number: boolean | undefined, expendable: boolean | undefined): string | undefined =>
  [number ? 'number' : '', expendable ? 'expendable' : ''].filter(Boolean).join(' ') || undefined

/** The name of a repository, which may be broken behind its owner and its dashes. */
export function Breaking({text}: {text: string}) {
  return (
    <>
      {text.split(/(?<=[/_-])/).map((part, index) => (
        <Fragment key={String(index)}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  )
}
