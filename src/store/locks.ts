/** Any numbers, as long as they stay the same: what the advisory locks of the store are known by. */

export const projectorLock = 7_284_936_016
export const rebuildLocks = 728_493
/** An archiver has it for itself; rebuilds share it. */
export const archiveLock = 7_284_936_017
