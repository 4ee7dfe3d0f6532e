import type { Hint } from '../core/hint.ts'
import type { Result } from '../core/result.ts'

/** What helps, whatever the provider. `docs/troubleshooting.md` says more of each. */
export const HINTS: Record<Hint, string> = {
  'token-refused':
    'Check the secret behind api-token: the token may have expired, or belong to another region or account.',
  'not-allowed': 'The token is known, but may not do this: give it, or its owner, the right to run this sync.',
  'not-found': 'Check the id, and that the token belongs to the workspace that the sync is in.',
  'api-retired': 'This version of the API has ended: the newest version of this action speaks the one that follows.',
  'web-page':
    "Something between this runner and the provider answers in its place, mostly a proxy, a firewall or a login page: let the provider's address through.",
  redirect: 'Check base-url: the address that answers leads elsewhere, and the token is not taken there.',
  'request-refused': 'What the provider says tells which setting it does not accept.',
  unreachable:
    "Nothing can be sent from this runner: check base-url, the proxy variables (HTTPS_PROXY, NO_PROXY) and, for a company's own certificates, NODE_EXTRA_CA_CERTS.",
  outage:
    "The provider was not available for longer than the step may wait: see the provider's status page, then run the failed job again. With dbt-artifacts, what has delivered meanwhile is not repeated.",
  paused: 'Switch the sync on at the provider, take it out of the list, or let it be left out with on-paused: skip.',
  'older-run': 'Wait for it with on-running: queue, which is the default, or see what else triggers this sync.',
  'full-sync-refused': 'The sync may not be able to run in full: leave full-sync out for it.',
  'run-failed':
    'Open the sync: its history shows what was rejected, and why. If it fails now and then, for locked records for example, set retries.',
  'run-skipped':
    'Another run of the same sync was in the way: see what else triggers it, such as a schedule of its own.',
  'run-cancelled':
    'Somebody has stopped the run at the provider. Run the failed job again: with dbt-artifacts only what is missing is repeated.',
  'records-rejected':
    'Open the sync: its history shows the records that did not arrive. How many are allowed is said by max-failed-records and max-invalid-records.',
  'no-counts':
    'The run has ended, and the provider does not tell with how many records. Open the sync to see them, or take the limit away.',
  'lost-trigger':
    'Open the sync and see whether a run was started. If none was, run the failed job again; if one goes on, wait for its end first.',
  'lost-run': 'Open the sync and see what became of the run, then run the failed job again.',
  'timed-out':
    'If the sync takes that long, raise timeout-minutes here and in the job. Run the failed job again meanwhile: it takes up the run that goes on, where dbt-artifacts is given.',
  'too-late': 'Raise timeout-minutes, or see what the syncs before it were waiting for.',
  'gate-closed':
    'Mend the model or test and run dbt again: the sync ships with the next good build. Its data at the destination is that of the last good one.',
  'built-elsewhere':
    'Let dbt build where the sync reads (--target), or point the sync to where dbt builds. A build for tests opens no production sync.',
  'bad-meta': 'Correct the meta or the models of this sync: names of dbt, ids of this provider.',
  'no-evidence': 'Let dbt build run in this job before this step, and give its target folder as dbt-artifacts.',
  'earlier-step': 'Give dbt-artifacts: then what dbt vouches for is shipped although something else has failed.',
}

/** What somebody can do about how a sync ended; empty where there is nothing to advise. */
export function hintOf({ hint, advice }: Pick<Result, 'hint' | 'advice'>): string {
  return advice ?? (hint === null ? '' : HINTS[hint])
}
