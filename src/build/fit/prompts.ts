import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parse} from 'yaml'
import {z} from 'zod'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Measurement} from './fit.ts'
import {readMeasurements} from './measurements.ts'

const schema = z.strictObject({
  rows: z.array(
    z.strictObject({
      model: z.string(),
      gpu: z.string(),
      link: z.enum(['pcie', 'p2p', 'nvlink']).optional(),
      engine: z.enum(['vllm', 'sglang', 'trtllm']),
      engineVersion: z.string().optional(),
      weights: z.string(),
      tp: z.int().min(1),
      inputTokens: z.int().min(1),
      ttftMs: z.number().positive(),
      source: z.string().min(1),
    }),
  ),
})

/** Answers as short as that end before anything but the prompt matters. */
const OUTPUT_TOKENS = 16

/**
 * Published times to the first token of a prompt alone (`prompts.yaml`), as the fit reads measurements.
 * @throws Error for a row that the planner cannot answer: it would be left out in silence.
 */
export async function publishedPrompts(root: string, catalogue: Catalogue): Promise<Measurement[]> {
  const {rows} = schema.parse(parse(readFileSync(join(root, 'src', 'build', 'fit', 'prompts.yaml'), 'utf8')))
  const folder = mkdtempSync(join(tmpdir(), 'servefit-prompts-'))
  try {
    const lines = rows.map(({inputTokens, ttftMs, ...row}, index) =>
      JSON.stringify({
        ...row,
        id: `prompt-${index + 1}`,
        workload: {inputTokens, outputTokens: OUTPUT_TOKENS, concurrency: 1, prefixHitRate: 0},
        observed: {ttftMs},
      }),
    )
    const written = join(folder, 'prompts.jsonl')
    writeFileSync(written, lines.join('\n'))
    const {measurements, unused} = await readMeasurements([written], catalogue)
    if (unused.length > 0) throw new Error(`prompts.yaml: ${unused.map(({id, why}) => `${id}: ${why}`).join('; ')}`)
    return measurements
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
