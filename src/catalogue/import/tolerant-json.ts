import {InputError} from '../../core/input-error.ts'
import {jsonProblem} from '../../core/json-problem.ts'

/** Largest configuration that is read. The longest known per-layer map, of a mixed NVFP4 export, is 3 MB. */
const MAX_BYTES = 32 * 1024 * 1024
/** Deepest nesting that is read; published files stay below 10. */
const MAX_DEPTH = 64

/**
 * JSON as publishers ship it: bare `Infinity`, `-Infinity` and `NaN` are read as null (unknown), since no field that
 * matters here may hold them; Nemotron-H files have `"time_step_limit": [0.0, Infinity]`. Everything else is strict JSON.
 *
 * @throws InputError MODEL_CONFIG_INVALID when the text is too large, too deeply nested or not JSON.
 */
export function parseTolerantJson(text: string, name = 'config.json'): unknown {
  const invalid = (message: string) => new InputError('MODEL_CONFIG_INVALID', `${name}: ${message}`)
  if (text.length > MAX_BYTES) throw invalid(`larger than ${MAX_BYTES / 1024 ** 2} MiB; expected a model configuration`)
  const strict = withoutBareConstants(text)
  if (strict.depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH} levels; expected a model configuration`)
  try {
    return JSON.parse(strict.text)
  } catch (error) {
    throw invalid(`not JSON: ${jsonProblem(text, error)}`)
  }
}

/** One pass outside strings: replaces bare constants by null and measures the nesting. */
function withoutBareConstants(text: string): {text: string; depth: number} {
  let depth = 0
  let deepest = 0
  const replaced = text.replace(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]|-?Infinity\b|\bNaN\b/g, (token) => {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth)
    else if (token === ']' || token === '}') depth--
    else if (!token.startsWith('"')) return 'null'
    return token
  })
  return {text: replaced.replace(/^\uFEFF/, ''), depth: deepest}
}
