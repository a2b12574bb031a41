import { badRequest, noSuchCall, type Service } from './service.ts'

/** Keeps the first content of every file, and says 409 to every other. */
export function files(): Service {
  const contents = new Map<string, string>()
  return {
    name: 'files',
    state: () => ({ files: Object.fromEntries(contents) }),
    handle: ({ method, path, text }) => {
      const [, id] = /^\/files\/([\w.-]+)\/content$/.exec(path) ?? []
      if (id === undefined) return noSuchCall
      const content = contents.get(id)
      if (method === 'GET') return content === undefined ? noSuchCall : { status: 200, body: content }
      if (method !== 'PUT') return noSuchCall
      if (text === '') return badRequest('the file is empty')
      if (content !== undefined) return { status: 409, body: { error: `file ${id} exists` }, isRepeat: true }
      contents.set(id, text)
      return { status: 201, body: {} }
    },
  }
}
