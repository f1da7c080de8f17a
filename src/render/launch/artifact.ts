/** One file of what `config` prints or writes. */
export interface Artifact {
  /** Plain name, without a folder. */
  name: string
  text: string
}
