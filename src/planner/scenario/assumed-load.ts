/** Load that answers assume when none is given: one person, a page of prompt, half a page of answer. */
export const ASSUMED_LOAD: AssumedLoad = {inputTokens: 1024, outputTokens: 512, concurrency: 1}

interface AssumedLoad {
  inputTokens: number
  outputTokens: number
  concurrency: number
}

/**
 * What is assumed of a load beside what was given of it. Nobody asked for an assumed request: it is cut to the context that was asked for, two
 * thirds prompt, and never the cause of a no.
 */
export function assumedLoad(maxModelLen: number | undefined, {inputTokens, outputTokens}: {inputTokens?: number; outputTokens?: number} = {}): AssumedLoad {
  const assumed = {...ASSUMED_LOAD, ...(inputTokens !== undefined && {inputTokens}), ...(outputTokens !== undefined && {outputTokens})}
  const both = assumed.inputTokens + assumed.outputTokens
  if (maxModelLen === undefined || both <= maxModelLen) return assumed
  if (inputTokens === undefined && outputTokens === undefined) {
    const answer = Math.max(1, Math.floor(maxModelLen / 3))
    return {...assumed, inputTokens: Math.max(1, maxModelLen - answer), outputTokens: answer}
  }
  if (inputTokens === undefined) return {...assumed, inputTokens: Math.max(1, maxModelLen - assumed.outputTokens)}
  if (outputTokens === undefined) return {...assumed, outputTokens: Math.max(1, maxModelLen - assumed.inputTokens)}
  return assumed
}
