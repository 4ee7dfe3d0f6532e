/** What kind of trouble a verdict is about, as far as somebody can do something about it. The report has words for each. */
export type Hint =
  /** The provider or the way to it. */
  | 'token-refused'
  | 'not-allowed'
  | 'not-found'
  | 'api-retired'
  | 'web-page'
  | 'redirect'
  | 'request-refused'
  | 'unreachable'
  | 'outage'
  | 'throttled'
  /** The sync and its runs. */
  | 'paused'
  | 'older-run'
  | 'full-sync-refused'
  | 'run-failed'
  | 'run-skipped'
  | 'run-cancelled'
  | 'records-rejected'
  | 'no-counts'
  | 'lost-trigger'
  | 'lost-run'
  /** Time. */
  | 'timed-out'
  | 'strange-status'
  | 'too-late'
  /** dbt. */
  | 'gate-closed'
  | 'dbt-stopped'
  | 'built-elsewhere'
  | 'bad-meta'
  | 'earlier-step'
