import type {Compared} from '../../library/compare.ts'
import type {ComparisonRow} from '../../planner/compare/index.ts'
import {comparisonWords} from '../../render/compare.ts'
import {machineTitle} from '../../render/hardware.ts'
import {qualityWords, shortQuality} from '../../render/quality.ts'
import {harmless} from '../../render/style.ts'

/** Checkpoints beside one another, as they are shown. */
export interface CompareDocument {
  kind: 'compare'
  title: string
  groups: {name: string; rows: CompareRow[]; words: ReturnType<typeof comparisonWords>}[]
  command: string
}

/** A row with what is known of its quality, short and in a sentence. */
export interface CompareRow extends ComparisonRow {
  qualityShort: string
  qualityWords: string
}

/** Qwen3 32B on 2 x RTX 4090 */
export const compareTitle = ({models, machines}: Pick<Compared, 'models' | 'machines'>): string =>
  `${harmless(models.map(({model}) => model.name).join(', '))} on ${machines.map(machineTitle).join(', ')}`

/** A group for each model on each machine. */
export function compareDocument(rows: readonly ComparisonRow[], title: string, words: string): CompareDocument {
  const groups = new Map<string, ComparisonRow[]>()
  for (const row of rows) {
    const key = `${row.model} on ${row.gpus} x ${row.gpu}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return {
    kind: 'compare',
    title,
    groups: [...groups].map(([name, own]) => ({
      name,
      rows: own.map((row) => ({...row, qualityShort: shortQuality(row.quality), qualityWords: qualityWords(row.quality)})),
      words: comparisonWords(own),
    })),
    command: `servefit compare ${words}`,
  }
}
