import type {Asked, Data, Lists, Reply, Request} from '../planner/protocol.ts'
import type {Parts, PartsLoaded} from './parts.ts'

/** What the page's other scripts leave behind: the planner as a function whose text a worker is made from, and the data. */
export interface Loaded extends PartsLoaded {
  servefitPlanner(): void
  servefitData: Data
  /** Where the planner runs in the page itself. */
  servefitReply?(request: Request): Promise<Reply>
}

type Body = Request extends infer R ? (R extends {id: number} ? Omit<R, 'id'> : never) : never

/** One planner in a thread of its own. Of questions that wait only the last is asked. */
export interface Line {
  /** Undefined: another question came before it was begun. */
  ask(asked: Asked): Promise<Reply | undefined>
  lists(): Promise<Lists>
}

/** Files that a question about one model takes beside the first: the model's, and the flags of an engine. */
const ASKED_ABOUT = 2

/** A question that runs longer than this when the next one comes is given up. */
const PATIENCE_MS = 700

/** A line to a planner of its own, which is started with the first question. */
export function openLine(loaded: Loaded, parts: Parts): Line {
  let post: ((body: Body) => Promise<Reply>) | undefined
  let stop = () => {}
  let running: {since: number; done: Promise<unknown>; giveUp(): void} | undefined
  let newest = 0
  const started = () => {
    if (!post) [post, stop] = startedPlanner(loaded)
    return post
  }
  /** Files that are missing are loaded: first those that are asked about, one by one, then, where many are weighed, all. */
  const answerOf = async (send: (body: Body) => Promise<Reply>, asked: Asked): Promise<Reply> => {
    for (let times = 0; ; times++) {
      const reply = await send({kind: 'answer', ...asked} as Body)
      if (!('missing' in reply)) return reply
      const data = await (times < ASKED_ABOUT ? parts.withFile(reply.missing) : parts.all())
      if (!Object.hasOwn(data, reply.missing)) throw new Error(`${reply.missing} is not part of the page`)
      await send({kind: 'more', data} as Body)
    }
  }
  return {
    async lists() {
      const reply = await started()({kind: 'lists'} as Body)
      return (reply as {lists: Lists}).lists
    },
    async ask(asked) {
      const own = ++newest
      if (running && performance.now() - running.since > PATIENCE_MS) running.giveUp()
      while (running) {
        await running.done
        if (own !== newest) return undefined
      }
      let giveUp = () => {}
      const given = new Promise<undefined>((resolve) => {
        giveUp = () => {
          stop()
          post = undefined
          resolve(undefined)
        }
      })
      const answered = Promise.race([answerOf(started(), asked).catch(asProblem), given])
      const mine = {since: performance.now(), done: answered, giveUp}
      running = mine
      const reply = await answered
      if (running === mine) running = undefined
      return reply
    },
  }
}

/** A file that could not be loaded, or a defect: said, so that nobody waits for ever. */
const asProblem = (error: unknown): Reply => ({
  id: 0,
  problems: [{code: 'PAGE_INCOMPLETE', message: `the page could not load all it needs (${(error as Error).message}): load it again`, suggestions: []}],
})

/** A worker from the text of the planner, so that it works where pages may not load files; the page itself where there are no workers. */
function startedPlanner(loaded: Loaded): [(body: Body) => Promise<Reply>, () => void] {
  let last = 0
  const worker = workerOf(loaded)
  if (!worker) {
    const opened = inPage(loaded)
    return [async (body) => (await opened)({...body, id: ++last} as Request), () => {}]
  }
  const waiting = new Map<number, (reply: Reply) => void>()
  worker.onmessage = ({data}: MessageEvent<Reply>) => {
    waiting.get(data.id)?.(data)
    waiting.delete(data.id)
  }
  const post = (body: Body): Promise<Reply> =>
    new Promise((resolve) => {
      const id = ++last
      waiting.set(id, resolve)
      worker.postMessage({...body, id})
    })
  void post({kind: 'open', data: loaded.servefitData} as Body)
  return [post, () => worker.terminate()]
}

function workerOf({servefitPlanner}: Loaded): Worker | undefined {
  try {
    const address = URL.createObjectURL(new Blob([`(${servefitPlanner.toString()})()`], {type: 'text/javascript'}))
    return new Worker(address)
  } catch {
    return undefined
  }
}

async function inPage(loaded: Loaded): Promise<(request: Request) => Promise<Reply>> {
  if (!loaded.servefitReply) loaded.servefitPlanner()
  const reply = loaded.servefitReply!
  await reply({id: 0, kind: 'open', data: loaded.servefitData})
  return reply
}
