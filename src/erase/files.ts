import { type RewriteOptions, rewriteFiles } from '../archive/rewrite.ts'
import type { TurnRecord } from '../engine/ports.ts'
import type { ArchiveStore } from '../store/archive.ts'
import { eraseText } from './document.ts'
import type { Work } from './erase.ts'

export type WrittenArchive = Pick<RewriteOptions, 'folder'> & {
  store: RewriteOptions['store'] & Pick<ArchiveStore, 'begin'>
}

/**
 * Looks through the archive, and writes the files anew that name the customer.
 *
 * @returns how many did
 * @throws `archive-unreadable`, `config-invalid`
 */
export function eraseFiles(archive: WrittenArchive, { erase, isDryRun, showProgress }: Work): Promise<number> {
  return rewriteFiles({
    ...archive,
    change: (turn) => withoutCustomer(turn, erase),
    isDryRun,
    onProgress: (files, all) => showProgress(`archive: ${files} of ${all} files`),
  })
}

function withoutCustomer(turn: TurnRecord, erase: Work['erase']): TurnRecord {
  const line = JSON.stringify(turn)
  const erased = eraseText(line, erase)
  return erased === line ? turn : JSON.parse(erased)
}
