/** Lines of a start-up log as engines, containers and terminals leave them: cleaned, taken apart, and each with the process it is of. */

export interface LogLine {
  text: string
  /** The process that printed it, as far as the line says; empty where it does not. */
  rank: string
}

const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g
/** `docker logs -t`, Kubernetes and journals put a time in front, compose and journals a name. */
const CONTAINER_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?\s+(?:(?:stdout|stderr)\s+[FP]\s+)?/
const COMPOSE_NAME = /^[\w.-]{1,64}\s*\| /
const JOURNAL = /^[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} [\w.-]{1,64} [\w@.-]{1,64}(?:\[\d+\])?: /

/** What opens a message of another process in the middle of a line, where two wrote at once: vLLM's process names, SGLang's and TensorRT-LLM's times. */
const GLUED =
  /(?<=\S)\s*(?=\((?:VllmWorker|Worker|EngineCore|APIServer|RayWorkerWrapper|RayWorkerProc|ApiServer)[^()]{0,80}pid=\d+[^()]{0,40}\) |\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}[^\]]{0,40}\] |\[\d{2}\/\d{2}\/\d{4}-\d{2}:\d{2}:\d{2}\] \[TRT-LLM\])/

/** `(VllmWorker rank=0 pid=7)`, `(Worker_TP1 pid=9)`, `(EngineCore_DP0 pid=3)`: vllm/utils/system_utils.py decorate_logs, older vllm/v1/executor/multiproc_executor.py. */
const VLLM_RANK = /^\(([A-Za-z][^()]{0,60}?)\s*pid=\d+[^()]{0,40}\)\s*/
/** `[2025-02-17 05:27:24 TP1]`, `[... DP0 TP0 EP0]`: sglang/srt/utils configure_logger. */
const SGLANG_RANK = /^\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:[.,]\d+)?((?: [A-Z]+\d+)*)\]\s*/
const TRTLLM_RANK = /\[RANK (\d{1,5})\]\s*/

/** Longer lines hold nothing that is read here beyond this. */
const MAX_LINE_CHARACTERS = 200_000

function withRank(text: string): LogLine {
  const vllm = VLLM_RANK.exec(text)
  if (vllm) return {text: text.slice(vllm[0].length), rank: vllm[1]!.replaceAll(/rank=/g, '').trim()}
  const sglang = SGLANG_RANK.exec(text)
  if (sglang) return {text: text.slice(sglang[0].length), rank: sglang[1]!.trim()}
  const trtllm = TRTLLM_RANK.exec(text)
  return trtllm ? {text: text.replace(TRTLLM_RANK, ''), rank: `RANK ${trtllm[1]}`} : {text, rank: ''}
}

function unwrapped(line: string): string {
  return line.replace(CONTAINER_TIME, '').replace(JOURNAL, '').replace(COMPOSE_NAME, '').replace(CONTAINER_TIME, '')
}

/** Every message of a log, in order. */
export function logLines(text: string): LogLine[] {
  const lines: LogLine[] = []
  for (const raw of text.replaceAll(ESCAPES, '').split(/\r\n|\n|\r/)) {
    const line = unwrapped(raw.slice(0, MAX_LINE_CHARACTERS).trimEnd())
    if (line === '') continue
    for (const part of line.split(GLUED)) if (part.trim() !== '') lines.push(withRank(part.trim()))
  }
  return lines
}
