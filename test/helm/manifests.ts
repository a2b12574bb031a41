import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { PodSpec } from 'kubernetes-types/core/v1.d.ts'
import { parseAllDocuments } from 'yaml'
import { projectFolder } from '../../ops/sandbox/folders.ts'

export type Labels = Record<string, string>
export type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Labels; annotations?: Labels }
  // biome-ignore lint/suspicious/noExplicitAny: what it is depends on the kind, and the compiler is asked in typeFaults.
  spec: any
  data?: Labels
}

export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
}

export type Pod = { owner: string; labels: Labels; spec: PodSpec }

/** The pods that Deployments and Jobs make. */
export const podsOf = (manifests: Manifest[]): Pod[] =>
  manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    .map(({ metadata, spec }) => ({
      owner: metadata.name,
      labels: spec.template.metadata.labels,
      spec: spec.template.spec,
    }))

/** Where the types of an API group lie in kubernetes-types. Those of other makers have none there. */
const modules: Record<string, string> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'autoscaling/v2': 'autoscaling/v2',
  'batch/v1': 'batch/v1',
  'networking.k8s.io/v1': 'networking/v1',
  'policy/v1': 'policy/v1',
}
const foreign = ['keda.sh/v1alpha1', 'monitoring.coreos.com/v1']

/**
 * Holds manifests against the types made from Kubernetes' OpenAPI document, by the compiler: it finds what is misspelt or in the wrong
 * place, of the wrong type, or missing.
 *
 * @returns what the compiler says; nothing when all is well
 */
export function typeFaults(manifests: Manifest[]): string {
  // Inside the project, where the compiler finds the types.
  const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? projectFolder, 'manifests-'))
  const lines = manifests
    .filter(({ apiVersion }) => !foreign.includes(apiVersion))
    .map((manifest, index) => {
      const { apiVersion, kind } = manifest
      const type = `import('kubernetes-types/${modules[apiVersion] ?? apiVersion}.d.ts').${kind}`
      return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, undefined, 2)}`
    })
  writeFileSync(path.join(folder, 'manifests.ts'), `${lines.join('\n')}\n`)
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', types: [], skipLibCheck: true }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['manifests.ts'] }))
  try {
    execFileSync(path.join(projectFolder, 'node_modules', '.bin', 'tsc'), ['--project', folder], { encoding: 'utf8' })
    return ''
  } catch (error) {
    return String((error as { stdout: string }).stdout)
  }
}
