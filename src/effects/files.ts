import type { ServiceAdapter } from './service.ts'

/** A file is stored once under its name: 409 says that it is there already. */
export const files: ServiceAdapter<'files', 'ticket'> = {
  service: 'files',
  concurrency: 32,
  calls: {
    StoreFile: {
      toHttp: ({ file_id, content }) => ({
        method: 'PUT',
        path: `/files-api/files/${encodeURIComponent(file_id)}/content`,
        text: content,
      }),
      done: [200, 201, 409],
      refused: [400],
      onDone: ({ file_id }) => ({ type: 'FileStored', file_name: file_id }),
    },
  },
}
