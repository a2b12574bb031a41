import { execFile } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../../ops/sandbox/folders.ts'

type Lock = { packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }> }

/** Lays out in `folder` what the Dockerfile puts into /app: the compiled daemon and the packages that it runs with. */
export async function layOutImage(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['ops/build.mjs'], { cwd: projectFolder })
  for (const part of ['package.json', 'dist/actors', 'dist/schemas', 'dist/src', ...productionPackages()]) {
    cpSync(path.join(projectFolder, part), path.join(folder, part), { recursive: true })
  }
}

/** The folders that `npm ci --omit=dev` makes. Those that lie inside another are copied with it. */
export function productionPackages(): string[] {
  const lock: Lock = JSON.parse(readFileSync(path.join(projectFolder, 'package-lock.json'), 'utf8'))
  return Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional, optional }]) => folder !== '' && !(dev || devOptional || optional))
    .map(([folder]) => folder)
    .filter((folder) => folder.lastIndexOf('node_modules') === 0)
}

export type Stage = { from: string; lines: [instruction: string, rest: string][] }

/** The stages of the Dockerfile by name. */
export function readDockerfile(): Map<string, Stage> {
  const text = readFileSync(path.join(projectFolder, 'Dockerfile'), 'utf8')
  const stages = new Map<string, Stage>()
  let current: Stage | undefined
  for (const line of text.split('\n')) {
    const [, instruction = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (instruction === 'FROM') {
      const [, from = '', name = ''] = /(\S+) AS (\S+)$/.exec(rest) ?? []
      current = { from, lines: [] }
      stages.set(name, current)
    } else if (instruction !== '') current?.lines.push([instruction, rest])
  }
  return stages
}
