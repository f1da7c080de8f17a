import {InputError} from '../../core/input-error.ts'
import {type BenchPoint, hasObservation, isObject, type JsonObject} from './bench-point.ts'
import {readClientTables} from './client-tables.ts'
import {isLlamaBenchRow, readCsv, readLlamaBenchRow, readMarkdownTables} from './llama-bench.ts'
import {isScenarioLine, readScenarioLine} from './scenario-lines.ts'
import {isServingResult, readServingResult} from './serving-clients.ts'
import {isTrtllmReport, readTrtllmReport} from './trtllm-bench.ts'

const EXPECTED =
  'expected a result of vllm bench serve, sglang.bench_serving, TensorRT-LLM\'s benchmark_serving or trtllm-bench (a file, or the table that is printed), a table of llama-bench, or scenarios with "observed" as JSON Lines'

function pointIn(value: unknown, place: string): BenchPoint | undefined {
  if (!isObject(value)) return undefined
  const readers: [(value: JsonObject) => boolean, (value: JsonObject, place: string) => BenchPoint | undefined][] = [
    [isScenarioLine, readScenarioLine],
    [isTrtllmReport, readTrtllmReport],
    [isServingResult, readServingResult],
    [isLlamaBenchRow, readLlamaBenchRow],
  ]
  return readers.find(([is]) => is(value))?.[1](value, place)
}

function parsed(text: string): {value: unknown} | undefined {
  try {
    return {value: JSON.parse(text)}
  } catch {
    return undefined
  }
}

function fromJson(content: string, file: string): BenchPoint[] | undefined {
  const whole = parsed(content)
  if (whole)
    return (Array.isArray(whole.value) ? whole.value : [whole.value]).flatMap(
      (value, index, all) => pointIn(value, all.length > 1 ? `${file}, entry ${index + 1}` : file) ?? [],
    )
  const lines = content
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({line: line.trim(), number: index + 1}))
    .filter(({line}) => line.startsWith('{'))
  const values = lines.map(({line, number}) => ({value: parsed(line)?.value, number}))
  return lines.length === 0 || values.every(({value}) => value === undefined)
    ? undefined
    : values.flatMap(({value, number}) => pointIn(value, `${file}, line ${number}`) ?? [])
}

/**
 * Every measured load of a benchmark's result, by what the file holds, whatever its name.
 *
 * @throws InputError BENCH_UNKNOWN where nothing in it is recognised.
 */
export function readBench(content: string, file: string): BenchPoint[] {
  const trimmed = content.replace(/^\uFEFF/, '').trim()
  const read = [
    () => (/^[[{]/.test(trimmed) ? fromJson(trimmed, file) : undefined),
    () => [...readClientTables(trimmed, file), ...readMarkdownTables(trimmed, file), ...readCsv(trimmed, file)],
    // Lines of JSON behind what the client said of itself.
    () => fromJson(trimmed, file),
  ]
  let points: BenchPoint[] = []
  for (const one of read) {
    points = (one() ?? []).filter(hasObservation)
    if (points.length > 0) break
  }
  if (points.length === 0) throw new InputError('BENCH_UNKNOWN', `${file} holds no benchmark result that is known: ${EXPECTED}`)
  return points
}
