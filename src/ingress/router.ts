import { Problem } from './problems.ts'
import type { Route } from './route.ts'

/** What there is under a method and path. */
export type Found = {
  /** Such as `/shows/:show_id`, where the path exists. */
  pattern: string | undefined
} & ({ route: Route; params: Record<string, string> } | { problem: Problem })

export type Router = (method: string, target: string) => Found

/** One path, with all its methods. */
type Place = { pattern: string; segments: string[]; byMethod: Map<string, Route>; allow: string }

/** Finds the route of a request: those without names in their paths by one look, of the others the first that fits. */
export function createRouter(routes: readonly Route[]): Router {
  const places = [...new Set(routes.map(({ path }) => path))].map((path) => placeOf(path, routes))
  const fixed = new Map(places.filter(({ pattern }) => !pattern.includes(':')).map((place) => [place.pattern, place]))
  return (method, target) => {
    const path = pathOf(target)
    const known = fixed.get(path)
    if (known) return foundAt(known, method, {})
    const segments = decodedSegments(path)
    if (!segments) return { pattern: undefined, problem: badPath() }
    for (const place of places) {
      const params = paramsOf(place, segments)
      if (params) return foundAt(place, method, params)
    }
    return { pattern: undefined, problem: new Problem('unknown-route', `there is no ${method} ${path}`) }
  }
}

function placeOf(path: string, routes: readonly Route[]): Place {
  const here = routes.filter((route) => route.path === path)
  const byMethod = new Map<string, Route>(here.map((route) => [route.method, route]))
  const get = byMethod.get('GET')
  if (get) byMethod.set('HEAD', get)
  // As OpenTelemetry and most dashboards write it: `/shows/:show_id`.
  const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1')
  return { pattern, segments: pattern.split('/'), byMethod, allow: [...byMethod.keys()].join(', ') }
}

/** A path that exists for another method is 405, and says for which. */
function foundAt({ pattern, byMethod, allow }: Place, method: string, params: Record<string, string>): Found {
  const route = byMethod.get(method)
  if (route) return { pattern, route, params }
  const problem = new Problem('method-not-allowed', `only ${allow} can be used here`, { headers: { Allow: allow } })
  return { pattern, problem }
}

function paramsOf({ segments }: Place, given: string[]): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const value = given[index] as string
    if (segment.startsWith(':')) params[segment.slice(1)] = value
    else if (segment !== value) return undefined
  }
  return params
}

/** Nothing where the encoding is broken. */
function decodedSegments(path: string): string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

const badPath = () => new Problem('malformed-http', 'the path is not properly percent-encoded')

/** Without the query, and without the scheme and host that a client may put before it as if this were a proxy. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/)
  const path = end < 0 ? target : target.slice(0, end)
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*\/?/i, '/')
}
