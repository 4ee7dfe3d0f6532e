import type { Change } from '../core/change.ts'
import type { Node, Project } from './lineage.ts'

const IN_FILES = ['model', 'seed', 'snapshot']

/**
 * Finds the models that a change of files (paths from the root of the repository) touches. Only their own files count: what a macro or
 * a file of properties changes, dbt alone can tell.
 */
export function changeOf(files: readonly string[], projects: readonly Project[]): Change {
  const changed = new Set(files)
  const own = projects.flatMap((project) =>
    [...project.nodes.values()].filter(
      (node) => IN_FILES.includes(node.kind) && node.package === project.name && node.file !== '',
    ),
  )
  const touched = projects.flatMap((project) => {
    const its = own.filter((node) => node.project === project)
    const exact = its.filter(({ file }) => changed.has(project.root === '' ? file : `${project.root}/${file}`))
    if (exact.length > 0) return exact
    // Where dbt's files were brought in from another job, their place says nothing of the project's.
    return its.filter(({ file }) =>
      files.some((path) => path.endsWith(`/${file}`) && !isOfAnother(path, project, projects)),
    )
  })
  const ids = new Set(touched.map(({ id }) => id))
  return {
    models: [...ids].sort(),
    feeding: (models) => {
      const upstream = new Set<Node>(projects.flatMap(({ nodes }) => models.flatMap((id) => nodes.get(id) ?? [])))
      // What is added to a set while it is walked through is walked through as well.
      for (const node of upstream) for (const parent of node.parents) upstream.add(parent)
      return [...new Set([...upstream].map(({ id }) => id).filter((id) => ids.has(id)))].sort()
    },
  }
}

/** Whether a file stands in the folder of another project that is known to be there. */
function isOfAnother(path: string, project: Project, projects: readonly Project[]): boolean {
  return projects.some(({ root }) => root !== '' && root !== project.root && path.startsWith(`${root}/`))
}
