import {schemaWords} from '../core/words.ts'
import type * as z from 'zod'

/** Of one problem: an unknown key or a value may be as long as its file. */
const MOST_CHARACTERS = 300

/** Every problem that zod found, each on a line with the file and the path of the field: `a.yaml: pcie.lanes: ...`. */
export function problemsOf(path: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const field = issue.path.map(String).join('.')
    const problem = `${field === '' ? '' : `${field}: `}${schemaWords(issue.message)}`
    return `${path}: ${problem.length > MOST_CHARACTERS ? `${problem.slice(0, MOST_CHARACTERS)}...` : problem}`
  })
}
