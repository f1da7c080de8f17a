import {spawn} from 'node:child_process'
import {closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {openCatalogue} from '../../catalogue/catalogue.ts'
import {type Assault, pick, type Part} from './assault.ts'
import {childEnvironment, kept, program} from './child.ts'

/** Node's own limit on what a program may hold. */
const HEAP_MIB = 256
/** Distinct lines of one batch: ten minutes are enough for them, fewer are answered in less. */
const MOST_LINES = 50_000
/** Of fewer lines memory says nothing: a heap that has not been full grows as it may. */
const LEAST_LINES = 20_000
/** What the resident memory may still grow by from the first half of a batch to its second. */
const MOST_GROWTH = 0.25
const SAMPLE_MS = 250

/** A batch of lines that all differ, under a small heap, beside everything else: every line has its answer, and the memory stays where it is. */
export const longBatch: Part = {
  name: 'batch',
  share: 0,
  async run(assault) {
    const home = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
    try {
      const [asked, answered] = [join(home, 'asked.jsonl'), join(home, 'answered.jsonl')]
      writeLines(assault, asked)
      await answerLines(assault, {home, asked, answered})
    } finally {
      rmSync(home, {recursive: true, force: true})
    }
  },
}

/** Questions that differ in more than their number: models, cards, loads, folders and repositories that are not there. */
function writeLines(assault: Assault, path: string): void {
  const catalogue = openCatalogue(join(assault.root, 'dist', 'data'))
  const random = assault.random(1)
  const models = catalogue.modelEntries.map(({id}) => id)
  const cards = catalogue.gpus.filter(({vendor}) => vendor === 'nvidia').map(({id}) => id)
  const file = openSync(path, 'w')
  for (let at = 0; at < MOST_LINES; at++) {
    // A repository that nobody knows is compared with every name, which takes longer than an answer: one in twenty is enough.
    const model = at % 20 === 3 ? `Nobody/No-Such-${at}` : at % 4 === 2 ? `/no/such/folder/${at}-${'x'.repeat(200)}` : pick(random, models)
    const load = at % 5 === 0 && {workload: {inputTokens: 100 + at, outputTokens: 100, concurrency: 1 + (at % 64)}}
    // With the engine and the layout fixed an answer takes a millisecond or two: what is measured is what stays behind.
    const fixed = {engine: pick(random, ['vllm', 'sglang']), tp: 1, gpu: `${pick(random, [1, 2, 4, 8])}x${pick(random, cards)}`}
    writeSync(file, `${JSON.stringify({id: String(at), model, ...fixed, maxModelLen: 1000 + at, ...load})}\n`)
  }
  closeSync(file)
}

/** Resident memory of a process, in MiB; undefined where the system does not tell it so. */
function residentMib(pid: number): number | undefined {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kib === undefined ? undefined : Number(kib) / 1024
  } catch {
    return undefined
  }
}

async function answerLines(assault: Assault, {home, asked, answered}: Record<'home' | 'asked' | 'answered', string>): Promise<void> {
  const reproduce = `npm run attack -- --seed ${assault.seed}: servefit batch of ${MOST_LINES} lines with a heap of ${HEAP_MIB} MiB`
  const output = openSync(answered, 'w')
  const samples: {bytes: number; mib: number}[] = []
  let stderr = ''
  let isCut = false
  const code = await new Promise<number | null>((resolve) => {
    const child = kept(
      spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, program(assault.root), 'batch', asked, '--offline'], {
        env: childEnvironment(home),
        stdio: ['ignore', output, 'pipe'],
      }),
    )
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, 2000)
    })
    const timer = setInterval(() => {
      const mib = residentMib(child.pid!)
      if (mib !== undefined) samples.push({bytes: statSync(answered).size, mib})
      if (!assault.isOver) return
      isCut = true
      child.kill('SIGKILL')
    }, SAMPLE_MS)
    child.on('close', (end) => {
      clearInterval(timer)
      resolve(end)
    })
  })
  closeSync(output)
  let answers = 0
  for await (const line of createInterface({input: createReadStream(answered)})) {
    // The last one may be cut with the time.
    if (isCut && !line.endsWith('}')) break
    if (!line.includes(`"id":"${answers}"`)) assault.found({what: `answer ${answers} is another line's: ${line.slice(0, 200)}`, reproduce})
    answers += 1
  }
  const whole = statSync(answered).size
  const most = (from: number, to: number) => Math.max(0, ...samples.filter(({bytes}) => bytes >= from && bytes <= to).map(({mib}) => mib))
  const [first, second] = [most(0, whole / 2), most(whole / 2, whole)]
  assault.count('distinct lines in one batch', answers)
  assault.measure('resident MiB in its first half', first)
  assault.measure('in its second', second)
  if (!isCut && (answers !== MOST_LINES || (code !== 0 && code !== 1)))
    assault.found({what: `exit code ${code} after ${answers} lines: ${stderr.slice(0, 300)}`, reproduce})
  if (answers >= LEAST_LINES && second > first * (1 + MOST_GROWTH))
    assault.found({what: `resident memory grows from ${Math.round(first)} to ${Math.round(second)} MiB`, reproduce})
}
