import type * as z from 'zod'

/** Every problem that zod found, each on a line with the file and the path of the field: `a.yaml: pcie.lanes: ...`. */
export function problemsOf(path: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const field = issue.path.map(String).join('.')
    return `${path}: ${field === '' ? '' : `${field}: `}${issue.message}`
  })
}
