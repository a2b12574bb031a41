import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../../ops/sandbox/folders.ts'

export const chart = path.join(projectFolder, 'ops', 'helm', 'turnstile')
const binary = process.env.HELM_BIN || 'helm'
const { version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8'))
/** What the chart is rendered for, so that a golden file does not change with the helm that makes it. */
const kubeVersion = '1.31.0'

/** Why there is no helm here; nothing when there is one. */
export const noHelm: string | undefined =
  spawnSync(binary, ['version', '--short']).status === 0 ? undefined : 'no helm: name one in HELM_BIN'

/**
 * What helm makes of a chart, with VERSION where the version stands: a release changes no golden file.
 *
 * @throws with what helm says when it refuses the values
 */
export function render(folder: string, ...args: string[]): string {
  const options = ['--namespace', 'tickets', '--kube-version', kubeVersion]
  const { status, stdout, stderr } = spawnSync(binary, ['template', 'turnstile', folder, ...options, ...args], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.replaceAll(version, 'VERSION')
}
