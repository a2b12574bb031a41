import { isDeepStrictEqual } from 'node:util'

/** Whether both are the same once they are stored, whatever the order of their fields. */
export const isSameJson = (a: unknown, b: unknown): boolean => isDeepStrictEqual(stored(a), stored(b))

const stored = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
