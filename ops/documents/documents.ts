import path from 'node:path'
import { makeOpenApi } from '../../src/ingress/openapi.ts'
import { routes } from '../../src/ingress/routes/index.ts'
import { projectFolder } from '../sandbox/folders.ts'
import { makeAsyncApi } from './asyncapi.ts'

/** The documents that are made from the code and committed: what each is to hold, by its file. */
export const documents = (): Record<string, string> => ({
  [inDocs('openapi.json')]: textOf(makeOpenApi(routes)),
  [inDocs('asyncapi.json')]: textOf(makeAsyncApi()),
})

const inDocs = (name: string): string => path.join(projectFolder, 'docs', name)

const textOf = (document: object): string => `${JSON.stringify(document, undefined, 2)}\n`
