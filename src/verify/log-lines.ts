/** Lines of a start-up log as engines, containers and terminals leave them: cleaned, taken apart, and each with the process it is of. */

export interface LogLine {
  text: string
  /** The process that printed it, as far as the line says; empty where it does not. */
  rank: string
  /** The day that the engine itself wrote in front, as 2026-01-31. */
  day?: string
}

/** Colours as the terminal takes them, and as journals (#033), `cat -v` (^[) and texts inside JSON write the escape character. */
const ESCAPES = /(?:\u001B|\^\[(?=\[)|#033(?=\[)|\\(?:x1[bB]|u001[bB]|033|e)(?=\[))(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g
/** `docker logs -t`, Kubernetes (`kubectl logs --timestamps`) and journals (`-o short-iso`) put a time in front. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?\s+/
/** What a container runtime writes behind its time (CRI): the stream, and whether the line goes on in the next. */
const CRI = /^(?:stdout|stderr) ([FP])(?: |$)/
/** `kubectl logs --prefix`: the pod and its container. */
const POD = /^\[pod\/[\w.-]{1,253}\/[\w.-]{1,63}\]\s/
const COMPOSE_NAME = /^[\w.-]{1,64}\s*\|(?: |$)/
const JOURNAL = /^[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?:\.\d+)? [\w.-]{1,64} [\w@.-]{1,64}(?:\[\d+\])?: ?/
/** The same behind a time of its own: `2026-05-08T09:31:40+0000 host unit[7]: `. */
const JOURNAL_NAME = /^[\w.-]{1,64} [\w@.-]{1,64}\[\d+\]: ?/

/** What opens a message of another process in the middle of a line, where two wrote at once: vLLM's process names, SGLang's and TensorRT-LLM's times. */
const GLUED =
  /(?<=\S)\s*(?=\((?:VllmWorker|Worker|EngineCore|APIServer|RayWorkerWrapper|RayWorkerProc|ApiServer)[^()]{0,80}pid=\d+[^()]{0,40}\) |\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}[^\]]{0,40}\] |\[\d{2}\/\d{2}\/\d{4}-\d{2}:\d{2}:\d{2}\] \[TRT-LLM\])/

/** `(VllmWorker rank=0 pid=7)`, `(Worker_TP1 pid=9)`, `(EngineCore_DP0 pid=3)`: vllm/utils/system_utils.py decorate_logs, older vllm/v1/executor/multiproc_executor.py. */
const VLLM_RANK = /^\(([A-Za-z][^()]{0,60}?)\s*pid=\d+[^()]{0,40}\)\s*/
/** `[2025-02-17 05:27:24 TP1]`, `[... DP0 TP0 EP0]`: sglang/srt/utils configure_logger. */
const SGLANG_RANK = /^\[(\d{4}-\d{2}-\d{2}) \d{2}:\d{2}:\d{2}(?:[.,]\d+)?((?: [A-Z]+\d+)*)\]\s*/
const TRTLLM_RANK = /\[RANK (\d{1,5})\]\s*/

/** Longer lines hold nothing that is read here beyond this. */
export const MAX_LINE_CHARACTERS = 200_000

function withRank(text: string): LogLine {
  const vllm = VLLM_RANK.exec(text)
  if (vllm) return {text: text.slice(vllm[0].length), rank: vllm[1]!.replaceAll(/rank=/g, '').trim()}
  const sglang = SGLANG_RANK.exec(text)
  if (sglang) return {text: text.slice(sglang[0].length), rank: sglang[2]!.trim(), day: sglang[1]!}
  const trtllm = TRTLLM_RANK.exec(text)
  return trtllm ? {text: text.replace(TRTLLM_RANK, ''), rank: `RANK ${trtllm[1]}`} : {text, rank: ''}
}

/** The keys under which log drivers keep a message: docker's json-file, journals (`-o json`), collectors. */
const MESSAGE_KEYS = ['log', 'MESSAGE', 'message', 'msg', 'line', 'textPayload']

/** A message out of the JSON around it, with the end of its line where it has one; undefined for a line that is none. */
function fromJson(line: string): string | undefined {
  if (!line.startsWith('{"') || !line.endsWith('}')) return undefined
  try {
    const value = JSON.parse(line) as Record<string, unknown>
    return MESSAGE_KEYS.map((key) => value[key]).find((message) => typeof message === 'string') as string | undefined
  } catch {
    return undefined
  }
}

/** Wrappers stand in one another, a few deep at most. */
const MOST_WRAPPERS = 4

/** What was said without what stands around it, and whether it goes on in the next line. */
function unwrapped(raw: string): {text: string; goesOn: boolean} {
  let text = raw
  let goesOn = false
  for (let depth = 0; depth < MOST_WRAPPERS; depth++) {
    const message = fromJson(text)
    if (message !== undefined) {
      // Docker splits long lines: all but the last piece lack the end of the line.
      goesOn = !message.endsWith('\n') && text.startsWith('{"log":')
      text = message.replaceAll(ESCAPES, '').replace(/[\r\n]+$/, '')
      continue
    }
    const untimed = text.replace(TIME, '')
    const cri = untimed === text ? null : CRI.exec(untimed)
    if (cri?.[1] === 'P') goesOn = true
    const bare = (cri ? untimed.slice(cri[0].length) : untimed === text ? text.replace(JOURNAL, '') : untimed.replace(JOURNAL_NAME, ''))
      .replace(POD, '')
      .replace(COMPOSE_NAME, '')
    if (bare === text) break
    text = bare
  }
  return {text, goesOn}
}

/** The lines of a text one by one: splitting millions of short ones at once takes gigabytes. */
function* rawLines(text: string): Generator<string> {
  const ends = /\r\n|\n|\r/g
  for (let start = 0; start <= text.length; ) {
    const end = ends.exec(text)
    yield text.slice(start, Math.min(end?.index ?? text.length, start + MAX_LINE_CHARACTERS))
    if (!end) return
    start = ends.lastIndex
  }
}

/** Shorter lines say nothing that is read here; floods of them are not kept. */
export const LEAST_CHARACTERS = 8

/** Every message of a log, in order. */
export function logLines(text: string): LogLine[] {
  const lines: LogLine[] = []
  let begun = ''
  for (const raw of rawLines(text)) {
    if (raw.length < LEAST_CHARACTERS && begun === '') continue
    const {text: line, goesOn} = unwrapped(raw.replaceAll(ESCAPES, '').trimEnd())
    begun = (begun + line).slice(0, MAX_LINE_CHARACTERS)
    if (goesOn) continue
    const whole = begun
    begun = ''
    if (whole.length < LEAST_CHARACTERS) continue
    for (const part of whole.split(GLUED)) if (part.trim().length >= LEAST_CHARACTERS) lines.push(withRank(part.trim()))
  }
  if (begun.length >= LEAST_CHARACTERS) lines.push(withRank(begun.trim()))
  return lines
}
