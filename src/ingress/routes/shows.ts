import { z } from 'zod'
import { createShowBody, type ShowView, showCreated, showParams, showView } from '../../../schemas/http.ts'
import { type ListQuery, listQuery } from '../../../schemas/read-models.ts'
import { showState } from '../../../schemas/show.ts'
import { answerList } from '../lists.ts'
import { Problem } from '../problems.ts'
import { commandProblems, queryProblems, type Route } from '../route.ts'

export const createShow: Route<unknown, z.infer<typeof createShowBody>> = {
  method: 'POST',
  path: '/shows',
  group: 'Shows',
  roles: ['box-office'],
  summary: 'Put a show on sale',
  body: createShowBody,
  answer: { status: 201, description: 'The show is on sale', schema: showCreated },
  problems: commandProblems,
  handle: ({ body, askNew }) => askNew('show', { type: 'CreateShow', ...body }),
}

export const listShows: Route<unknown, unknown, ListQuery> = {
  method: 'GET',
  path: '/shows',
  group: 'Shows',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'List the shows',
  description: 'All of them; with `limit` or `cursor` a page, whose `Link` header leads to the next.',
  query: listQuery,
  answer: {
    status: 200,
    description: 'The shows, as they stood a moment ago',
    schema: z.array(showView),
    isStream: true,
  },
  problems: queryProblems,
  handle: (call) => answerList(call, '/shows', (page) => call.readModels.shows(page)),
}

export const getShow: Route<z.infer<typeof showParams>> = {
  method: 'GET',
  path: '/shows/{show_id}',
  group: 'Shows',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'See a show and its seats',
  params: showParams,
  answer: { status: 200, description: 'The show as it stands', schema: showView },
  problems: ['unknown-show', ...queryProblems],
  async handle({ params: { show_id }, findState }): Promise<ShowView> {
    const state = showState.parse((await findState('show', show_id)) ?? { status: 'unknown' })
    if (state.status === 'unknown') throw new Problem('unknown-show', `there is no show ${show_id}`)
    const { status: _, capacity, reserved, ...details } = state
    return {
      show_id,
      ...details,
      number_of_tickets: capacity,
      seats_reserved: reserved,
      seats_left: capacity - reserved,
    }
  },
}
