/**
 * Why a text is not JSON, in words. What the parser quotes of it helps in a file that is meant to be JSON, and shows somebody else's secrets where
 * another file was named by mistake.
 */
export function jsonProblem(text: string, error: unknown): string {
  if (text.trim() === '') return 'it is empty'
  if (!/^\uFEFF?\s*[[{]/.test(text)) return 'it begins with neither { nor ['
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}
