/**
 * A model as a positional argument. One that begins with a dash would be read as an option; only a path can begin so, and
 * `./` before it names the same file.
 */
export const modelArgument = (model: string): string => (model.startsWith('-') ? `./${model}` : model)

/** GGUF type in the spelling of repository tags: `q4_k_m` is `Q4_K_M`. */
export const ggufTag = (weights: string): string => weights.toUpperCase()

/** Whether a short format name is one of GGUF's. */
export const isGguf = (weights: string): boolean => /^i?q\d/.test(weights) || weights === 'gguf'
