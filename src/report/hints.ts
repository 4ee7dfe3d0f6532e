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
    "No connection could be made: check base-url, the proxy variables (HTTPS_PROXY, NO_PROXY) and, for a company's own certificates, NODE_EXTRA_CA_CERTS. If they are right, see the provider's status page.",
  outage:
    'The provider did not answer as it should for longer than the step may wait: see its status page, then run the failed job again.',
  throttled:
    'The provider asked for a wait that does not fit into timeout-minutes: raise it, or let fewer runs go on at once (max-parallel).',
  'strange-status':
    'This version of the action does not know that status, so it is neither an end nor a success: see at the provider what it means, and whether a newer version knows it.',
  paused: 'Switch the sync on at the provider, take it out of the list, or let it be left out with on-paused: skip.',
  'older-run': 'Wait for it with on-running: queue, which is the default, or see what else triggers this sync.',
  'full-sync-refused': 'The sync may not be able to run in full: leave full-sync out for it.',
  'run-failed':
    'Open the sync: its history shows what was rejected, and why. If it fails now and then, for locked records for example, retries help.',
  'run-skipped':
    'Another run of the same sync was in the way: see what else triggers it, such as a schedule of its own.',
  'run-cancelled': 'Somebody has stopped the run at the provider. Once that is settled, run the failed job again.',
  'records-rejected':
    'Open the sync: its history shows the records that did not arrive. max-failed-records and max-invalid-records set how many are allowed.',
  'no-counts':
    'The run has ended, and the provider does not tell with how many records. Open the sync to see them, or leave out the limits.',
  'lost-trigger':
    'Open the sync and see whether a run was started. If none was, run the failed job again; if one goes on, wait for its end first.',
  'lost-run': 'Open the sync and see what became of the run, then run the failed job again.',
  'timed-out': 'If the sync takes that long, raise timeout-minutes, of the sync or of the step, and that of the job.',
  'too-late': 'Raise timeout-minutes, or see in the log what took the time before.',
  'gate-closed':
    'Mend that in dbt and run it again: the sync ships with the next good build. Until then its destination keeps the data of the last good one.',
  'dbt-stopped':
    'See which step has failed. If dbt was stopped, run it again; if it was another step, let this one stand before that.',
  'built-elsewhere':
    'Let dbt build where the sync reads (--target), or point the sync to where dbt builds. A build for tests opens no production sync.',
  'bad-meta': 'Correct the meta or the models of this sync: names of dbt, ids of this provider.',
  'earlier-step':
    'Mend that step. With the results of a dbt build in dbt-artifacts, what dbt vouches for ships although something else has failed.',
}

/** What somebody can do about how a sync ended; empty where there is nothing to advise. */
export function hintOf({ hint, advice }: Pick<Result, 'hint' | 'advice'>): string {
  return advice ?? (hint === null ? '' : HINTS[hint])
}
