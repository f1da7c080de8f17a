/**
 * The planner as it runs beside the page: in a worker, or in the page itself where a browser allows none. What it is asked and what it answers is plain
 * data.
 */
import * as z from 'zod'
import {openPlanner, type Planner} from './answers.ts'
import type {Reply, Request} from './protocol.ts'

// The page allows no code that is made from text, which zod would try.
z.config({jitless: true})

let planner: Planner | undefined

async function reply(request: Request): Promise<Reply> {
  const {id} = request
  if (request.kind === 'open') {
    planner = openPlanner(request.data)
    return {id, ready: true}
  }
  if (request.kind === 'more') {
    planner?.add(request.data)
    return {id, ready: true}
  }
  if (!planner) throw new Error('asked before it was opened')
  if (request.kind === 'lists') return {id, lists: planner.lists()}
  return {id, ...(await planner.answer(request))}
}

const scope = globalThis as unknown as {
  servefitReply?: typeof reply
  document?: unknown
  postMessage(message: unknown): void
  onmessage: ((event: {data: Request}) => void) | null
}
if (scope.document === undefined)
  scope.onmessage = ({data}) => {
    void reply(data).then((message) => scope.postMessage(message))
  }
else scope.servefitReply = reply
