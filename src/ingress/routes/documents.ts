import { z } from 'zod'
import { contentSecurityPolicy } from '../pages/page.ts'
import { problemPage } from '../pages/problem.ts'
import { isProblemCode, Problem } from '../problems.ts'
import type { Route } from '../route.ts'

const page = {
  status: 200,
  type: 'text/html; charset=utf-8',
  headers: { 'Content-Security-Policy': contentSecurityPolicy, 'X-Content-Type-Options': 'nosniff' },
} as const

export const openapi: Route = {
  method: 'GET',
  path: '/openapi.json',
  group: 'Documents',
  roles: 'anyone',
  summary: 'The OpenAPI 3.1 document',
  answer: { status: 200, description: 'This API, for machines', schema: z.record(z.string(), z.unknown()) },
  problems: [],
  handle: ({ server }) => server.openapi(),
}

export const docs: Route = {
  method: 'GET',
  path: '/docs',
  group: 'Documents',
  roles: 'anyone',
  summary: 'The same as a page',
  answer: { ...page, description: 'This API, for people' },
  problems: [],
  handle: ({ server }) => server.docsPage(),
}

const problemParams = z.object({
  code: z.string().meta({ description: 'The last part of the `type`', examples: ['sold-out'] }),
})

export const problem: Route<z.infer<typeof problemParams>> = {
  method: 'GET',
  path: '/problems/{code}',
  group: 'Documents',
  roles: 'anyone',
  summary: 'What a problem means',
  params: problemParams,
  answer: { ...page, description: 'What happened, and what to do' },
  problems: ['unknown-problem'],
  handle({ params: { code } }) {
    if (!isProblemCode(code)) throw new Problem('unknown-problem', 'no answer of this server names such a problem')
    return problemPage(code)
  },
}
