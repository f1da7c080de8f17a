import {InputError} from '../core/input-error.ts'
import {type LogLine, logLines} from './log-lines.ts'
import type {LogReport} from './log-report.ts'
import {isSglangLine, readSglang} from './sglang-log.ts'
import {isTrtllmLine, readTrtllm} from './trtllm-log.ts'
import {isVllmLine, readVllm} from './vllm-log.ts'

/** The first line of a start: each engine prints it once, whatever the number of its processes. */
const OPENS: Record<LogReport['engine'], RegExp> = {
  vllm: /vLLM (?:API )?server version \d|[█▀▄]\s+version \d/,
  sglang: /server_args=ServerArgs\(/,
  trtllm: /Starting trtllm-serve for model|Starting .{0,40}trtllm-serve/,
}

/** Whether a line is the first of a start, of whatever engine. */
export const opensStart = (text: string): boolean => Object.values(OPENS).some((opening) => opening.test(text))

/** More starts than this are not told apart: a container that is started again and again says the same each time. */
const MOST_STARTS = 64

/**
 * A log that holds several starts (a container started anew, an argument changed between) as the last of them that came to an end, good or bad. A
 * start that opens before the one in front of it ended is another node's of the same start.
 */
function lastStart(lines: readonly LogLine[], engine: LogReport['engine'], read: (lines: readonly LogLine[]) => LogReport): LogReport {
  const openings = lines.flatMap(({text}, index) => (OPENS[engine].test(text) ? [index] : [])).slice(-MOST_STARTS)
  if (openings.length < 2) return read(lines)
  const reports: LogReport[] = []
  let from = 0
  for (const opening of [...openings.slice(1), lines.length]) {
    const report = read(lines.slice(from, opening))
    if (report.outcome === 'unknown' && opening < lines.length) continue
    from = opening
    reports.push(report)
  }
  const last = reports.findLast(({outcome}) => outcome !== 'unknown') ?? reports.at(-1)!
  return reports.length > 1 ? {...last, starts: reports.length} : last
}

/**
 * Reads start-up logs of one engine: files of several ranks, or one in which they are interleaved.
 *
 * @throws InputError LOG_UNKNOWN where no engine's lines are found, LOG_EMPTY where there is nothing.
 */
export function readLog(texts: readonly string[], engine?: string): LogReport {
  // Files of several ranks may name none in their lines: the file tells them apart.
  const several = texts.length > 1
  const lines = texts.flatMap((text, index) => logLines(text).map((line) => (several && line.rank === '' ? {...line, rank: `file ${index + 1}`} : line)))
  if (texts.every((text) => text.trim() === ''))
    throw new InputError('LOG_EMPTY', 'The log is empty: expected what vLLM, SGLang or TensorRT-LLM print at start')
  const readers = {vllm: readVllm, sglang: readSglang, trtllm: readTrtllm}
  const counts = {vllm: 0, sglang: 0, trtllm: 0}
  for (const {text} of lines) {
    if (isVllmLine(text)) counts.vllm += 1
    if (isSglangLine(text)) counts.sglang += 1
    if (isTrtllmLine(text)) counts.trtllm += 1
  }
  const names = Object.keys(counts) as (keyof typeof counts)[]
  const best = names.reduce((a, b) => (counts[b] > counts[a] ? b : a))
  const chosen = counts[best] > 0 ? best : names.find((name) => name === engine)
  if (!chosen)
    throw new InputError('LOG_UNKNOWN', 'No line of vLLM, SGLang or TensorRT-LLM was recognised: expected the log of a start (docker logs NAME 2>&1)')
  return several ? readers[chosen](lines) : lastStart(lines, chosen, readers[chosen])
}
