import {InputError} from '../core/input-error.ts'
import {logLines} from './log-lines.ts'
import type {LogReport} from './log-report.ts'
import {isSglangLine, readSglang} from './sglang-log.ts'
import {isTrtllmLine, readTrtllm} from './trtllm-log.ts'
import {isVllmLine, readVllm} from './vllm-log.ts'

/**
 * Reads start-up logs of one engine: files of several ranks, or one in which they are interleaved.
 *
 * @throws InputError LOG_UNKNOWN where no engine's lines are found, LOG_EMPTY where there is nothing.
 */
export function readLog(texts: readonly string[], engine?: string): LogReport {
  // Files of several ranks may name none in their lines: the file tells them apart.
  const several = texts.length > 1
  const lines = texts.flatMap((text, index) => logLines(text).map((line) => (several && line.rank === '' ? {...line, rank: `file ${index + 1}`} : line)))
  if (lines.length === 0) throw new InputError('LOG_EMPTY', 'The log is empty: expected what vLLM, SGLang or TensorRT-LLM print at start')
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
  return readers[chosen](lines)
}
