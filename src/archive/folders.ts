import path from 'node:path'

/** Where the files of a partition lie in an archive. */
export const folderOf = (archive: string, partition: number): string =>
  path.join(archive, `partition-${String(partition).padStart(3, '0')}`)
