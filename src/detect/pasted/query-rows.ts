import {NVIDIA_FIELDS} from '../nvidia-csv.ts'
import type {PastedOutput} from './outputs.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Spellings of one field; drivers know both. */
const SAME: Record<string, string> = dictionary({gpu_name: 'name', gpu_uuid: 'uuid', gpu_bus_id: 'pci.bus_id'})

type Row = Map<string, string>

/**
 * Rows of `--query-gpu` with whatever fields were asked, as the text that the reader of detection takes: a header, then one row a
 * card. Fields are named by the header, else by the command that stands before, else by what they look like. Several queries of the
 * same cards are put together.
 */
export function queryText(outputs: readonly PastedOutput[]): string {
  const cards = new Map<number, Row>()
  for (const output of outputs)
    for (const [at, row] of rowsOf(output).entries()) {
      const index = /^\d{1,3}$/.test(row.get('index') ?? '') ? Number(row.get('index')) : at
      cards.set(index, new Map([...(cards.get(index) ?? []), ...row, ['index', String(index)]]))
    }
  if (cards.size === 0) return ''
  const told = NVIDIA_FIELDS.filter((field) => field === 'index' || field === 'name' || [...cards.values()].some((row) => row.has(field)))
  const lines = [...cards].sort(([a], [b]) => a - b).map(([, row]) => told.map((field) => row.get(field) ?? '[N/A]').join(', '))
  return `${told.join(', ')}\n${lines.join('\n')}\n`
}

function rowsOf({text, command}: PastedOutput): Row[] {
  const lines = text.split('\n').filter((line) => line.includes(','))
  const header = fieldsIn(lines[0] ?? '')
  const asked = fieldsIn(/--query-gpu[= ]["']?([\w.,]+)/.exec(command ?? '')?.[1] ?? '')
  const fields = header ?? asked
  return (header ? lines.slice(1) : lines).flatMap((line) => {
    const cells = line.split(/,\s*/).map((cell) => cell.trim())
    if (fields && cells.length === fields.length) return [new Map(fields.map((field, at) => [field, cells[at]!]))]
    return fields ? [] : [guessed(cells)].filter((row) => row.has('name'))
  })
}

/** Names of fields, where the text is nothing else. */
function fieldsIn(line: string): string[] | undefined {
  const names = line.split(/,\s*/).map((name) => name.replace(/ \[[^\]]*\]$/, '').trim())
  const known = names.some((name) => /^(?:name|gpu_name|uuid|index|memory\.(?:total|used|free))$/.test(name))
  return known && names.every((name) => /^[A-Za-z][\w.]*$/.test(name)) ? names.map((name) => SAME[name] ?? name) : undefined
}

/** Cells by their looks. Of several amounts of memory the largest is the total; which of the others is free cannot be told. */
function guessed(cells: readonly string[]): Row {
  const row: Row = new Map()
  const put = (field: string, value: string | undefined) => {
    if (value !== undefined && !row.has(field)) row.set(field, value)
  }
  put(
    'name',
    cells.find((cell) => /^(?:NVIDIA|Tesla|Quadro|GeForce|TITAN|GRID)\b/.test(cell)),
  )
  put('index', /^\d{1,3}$/.test(cells[0] ?? '') ? cells[0] : undefined)
  put(
    'pci.bus_id',
    cells.find((cell) => /^[0-9a-f]{8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i.test(cell)),
  )
  put(
    'driver_version',
    cells.find((cell) => /^\d{3}\.\d{2,3}(?:\.\d{2})?$/.test(cell)),
  )
  put(
    'compute_cap',
    cells.find((cell) => /^\d{1,2}\.\d$/.test(cell)),
  )
  const amounts = cells.filter((cell) => /^\d{1,7} MiB$/.test(cell))
  const plain = cells.slice(1).filter((cell) => /^\d{4,7}$/.test(cell))
  const largest = (values: readonly string[]) => values.toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0]
  put('memory.total', largest(amounts.length > 0 ? amounts : plain))
  return row
}
