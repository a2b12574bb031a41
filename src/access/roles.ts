/** What a caller may be. What each may do stands in the routes. */
export const callerRoles = ['customer', 'box-office', 'webhook', 'operator'] as const

export type CallerRole = (typeof callerRoles)[number]

/** Whoever asks: by the name that the journal keeps, and what it may do. */
export type Caller = { subject: string; roles: readonly CallerRole[] }

/** Why somebody is not let in, which is told to the caller; and whether it has not even said who it is. */
export type Denial = { denied: string; isAnonymous?: true }

export const isCallerRole = (text: unknown): text is CallerRole => callerRoles.some((role) => role === text)
