/** What completion and the man page need of oclif's manifest. */
export interface ManifestFlag {
  name: string
  type: 'boolean' | 'option'
  char?: string
  description?: string
  options?: string[]
  aliases?: string[]
  helpValue?: string
  helpGroup?: string
  allowNo?: boolean
  multiple?: boolean
  default?: unknown
  hidden?: boolean
}

export interface ManifestCommand {
  id: string
  summary?: string
  description?: string
  hidden?: boolean
  /** Takes one argument after the other. */
  strict?: boolean
  args: Record<string, {name: string; description?: string; options?: string[]; required?: boolean}>
  flags: Record<string, ManifestFlag>
  examples?: string[]
}

export interface Manifest {
  version: string
  commands: Record<string, ManifestCommand>
}
