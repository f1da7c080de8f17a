import type {Model} from '../../core/model.ts'

/** A model that a file of the user's describes, with what was odd about it. */
export interface FoundModelFile {
  model: Model
  warnings: string[]
}

/** What looking for a repository outside the catalogue came to. */
export interface FoundRepository {
  found?: FoundModelFile
  /** Why there is none, in words. */
  because?: string
}
