/**
 * Whether a name is one that a repository can have: `org/name`, of letters, digits, `_`, `-` and `.`, which neither begins nor ends with a dot or a dash
 * and holds no two dots (huggingface_hub `utils/_validators.py` validate_repo_id). What a folder's files call it may be anything.
 */
export const isRepositoryName = (name: string): boolean => /^[A-Za-z0-9](?:[\w.-]{0,94}\w)?\/\w(?:[\w.-]{0,94}\w)?$/.test(name) && !name.includes('..')

/** Catalogue name of a repository: the last part in lower case, without what only says how it was published. */
export function modelId(repository: string): string {
  const last = repository.split('/').at(-1) ?? repository
  const id = last
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
  return id === '' ? 'model' : id
}

/** `Qwen/Qwen3-32B` gives `Qwen3 32B`. */
export function displayName(repository: string): string {
  return (repository.split('/').at(-1) ?? repository).replaceAll(/[-_]+/g, ' ').trim()
}

/** `qwen3_moe` and `qwen3_moe_text` are one family with `qwen3`. */
export function familyOf(modelType: string): string {
  const family = modelType
    .replace(/_text$/, '')
    .replace(/_(?:moe|vl|vl_moe|moe_vl)$/, '')
    .replaceAll('_', '-')
  return family === '' ? 'unknown' : family
}
