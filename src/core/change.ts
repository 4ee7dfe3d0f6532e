/** What a change of files means for dbt's models. */
export interface Change {
  /** Unique ids of the models, seeds and snapshots whose own files are among them. */
  models: readonly string[]
  /** Those of them that these models are, or are made of. */
  feeding(models: readonly string[]): string[]
}
