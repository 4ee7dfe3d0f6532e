/** A file that a change touches. */
export interface ChangedFile {
  /** From the root of the repository. */
  path: string
  /** It is not there any more: removed, or moved elsewhere. */
  isGone: boolean
}

/** What a change of files means for dbt's models. */
export interface Change {
  /** Unique ids of the models, seeds and snapshots whose own files are among them. */
  models: readonly string[]
  /** Names of models, seeds and snapshots that are not there any more, as far as their files tell. */
  removed: readonly string[]
  /** Those of them that these models are, or are made of. */
  feeding(models: readonly string[]): string[]
}
