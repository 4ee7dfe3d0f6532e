import type { Node, Project } from './lineage.ts'

/** What a change of files means for the models of the projects. */
export interface Change {
  /** Unique ids of the models, seeds and snapshots whose own files are among them. */
  models: string[]
  /** Those of them that these models are, or are made of. */
  feeding(models: readonly string[]): string[]
}

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
  const exact = own.filter(({ file, project }) => changed.has(project.root === '' ? file : `${project.root}/${file}`))
  // Where dbt's files were brought in from another job, their place says nothing of the project's.
  const touched =
    exact.length > 0
      ? exact
      : own.filter(({ file }) => files.some((path) => path === file || path.endsWith(`/${file}`)))
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
