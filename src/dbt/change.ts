import type { Change, ChangedFile } from '../core/change.ts'
import { HOLD_ROWS, type Node, type Project } from './lineage.ts'

/**
 * Finds the models that a change of files touches. Only their own files count: what a macro or a file of properties changes, dbt alone
 * can tell.
 */
export function changeOf(changed: readonly ChangedFile[], projects: readonly Project[]): Change {
  const files = changed.map(({ path }) => path)
  const paths = new Set(files)
  const touched = projects.flatMap((project) => {
    const its = ownOf(project)
    const exact = its.filter(({ file }) => paths.has(project.root === '' ? file : `${project.root}/${file}`))
    if (exact.length > 0) return exact
    // Where dbt's files were brought in from another job, their place says nothing of the project's.
    return its.filter(({ file }) =>
      files.some((path) => path.endsWith(`/${file}`) && !isOfAnother(path, project, projects)),
    )
  })
  const ids = new Set(touched.map(({ id }) => id))
  return {
    models: [...ids].sort(),
    removed: removedBy(changed, projects.flatMap(ownOf)),
    feeding: (models) => {
      const upstream = new Set<Node>(projects.flatMap(({ nodes }) => models.flatMap((id) => nodes.get(id) ?? [])))
      // What is added to a set while it is walked through is walked through as well.
      for (const node of upstream) for (const parent of node.parents) upstream.add(parent)
      return [...new Set([...upstream].map(({ id }) => id).filter((id) => ids.has(id)))].sort()
    },
  }
}

/** What a project has in files of its own. */
function ownOf({ nodes, name }: Project): Node[] {
  return [...nodes.values()].filter(
    ({ kind, package: of, file }) => HOLD_ROWS.includes(kind) && of === name && file !== '',
  )
}

/** The manifest does not have what is gone, so its file has to tell: where such files are, and of a name that none of them has now. */
function removedBy(changed: readonly ChangedFile[], own: readonly Node[]): string[] {
  const folders = new Set(['models', 'seeds', 'snapshots', ...own.map(({ file }) => file.split('/')[0] ?? '')])
  const nameIn = (path: string) => /(?<=\/)[^/]+(?=\.(?:sql|py|csv)$)/.exec(path)?.[0] ?? ''
  const left = new Set(own.map(({ file }) => nameIn(`/${file}`)))
  const gone = changed.filter(
    ({ path, isGone }) =>
      isGone &&
      path
        .split('/')
        .slice(0, -1)
        .some((part) => folders.has(part)),
  )
  const names = new Set(gone.map(({ path }) => nameIn(path)))
  return [...names].filter((name) => name !== '' && !left.has(name)).sort()
}

/** Whether a file stands in the folder of another project that is known to be there. */
function isOfAnother(path: string, project: Project, projects: readonly Project[]): boolean {
  return projects.some(({ root }) => root !== '' && root !== project.root && path.startsWith(`${root}/`))
}
