import type {ComponentChildren} from 'preact'

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
}

/** A table that scrolls by itself where the screen is narrower. */
export function Table<T>({caption, rows, columns, rowClass}: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
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
          {rows.map((row, index) => (
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
  )
}

const classOf = (number: boolean | undefined, expendable: boolean | undefined): string | undefined =>
  [number ? 'number' : '', expendable ? 'expendable' : ''].filter(Boolean).join(' ') || undefined
