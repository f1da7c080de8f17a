import type {Checkpoint, Model} from '../../core/model.ts'
import type {Warning} from '../../core/terms.ts'

/** What a name, a repository or a path means. */
export interface NamedModel {
  model: Model
  /** Set where the name was a repository or a file: exactly this checkpoint is meant. */
  checkpoint?: Checkpoint
  warnings: string[]
  /** Remarks with codes of their own. */
  notes?: Warning[]
  /** What is missing for a start, in words; absent where nothing is. */
  missing?: string
}

/** A model that a file of the user's describes, with what was odd about it. */
export interface FoundModelFile {
  model: Model
  warnings: string[]
  /** Absolute path that an engine can be started with. */
  path?: string
  /** The file lists checkpoints as the catalogue does: which of them is meant is open. */
  isCatalogueFile?: boolean
  /** What is missing for a start, in words. */
  missing?: string
}

/** What looking for a repository outside the catalogue came to. */
export interface FoundRepository {
  found?: FoundModelFile
  /** Why there is none, in words. */
  because?: string
  /** The hub was asked and has no such repository. */
  absent?: boolean
}
