/** What a build task is given: the repository's root and the arguments behind its name. */
export interface Task {
  root: string
  args: string[]
}
