import {CacheRoom} from './cache-room.ts'
import {EventQueue} from './event-queue.ts'
import type {Requests} from './load.ts'
import {emptyRecords, type Records} from './records.ts'
import type {Delivery, Drafting, SchedulerLimits, SchedulerRules} from './rules.ts'
import {RunningList} from './running-list.ts'
import type {StepClock} from './step-clock.ts'
import {WaitingLine} from './waiting-line.ts'

/** What one replica is asked to serve. */
export interface ReplicaQuestion {
  requests: Requests
  clock: StepClock
  limits: SchedulerLimits
  rules: SchedulerRules
  delivery: Delivery
  drafting: Drafting
  /** Share of each prompt that is found in the cache. It takes room all the same: sharing of blocks between requests is not counted. */
  prefixHitRate: number
  /** Pause of a closed loop's client between an answer and its next request. */
  thinkMs: number
  /** People who pause between an answer and their next request, exponentially with this mean; the requests come with gaps then. */
  population?: {people: number; meanPauseMs: number}
  /** Requests at the start and the end, by order of arrival, that are left out of what is measured. */
  skipFirst: number
  skipLast: number
}

/** How sharply the limit of streaming sets in. */
const STREAMING_EXPONENT = 6

const WAITING = 0
const PREFILLING = 1
/** Its prompt is computed, its first token on the way: it takes part in steps until that is delivered. */
const DELIVERING = 2
const DECODING = 3
const DONE = 4

/**
 * One replica, iteration by iteration. All decoding sequences advance together, so a step costs a handful of operations
 * whatever their number: a shared clock counts tokens, and sequences are found by the count at which they end.
 */
class Replica {
  readonly #q: ReplicaQuestion
  readonly #records: Records
  readonly #closedLoop: boolean
  /** Tokens that a step computes for a decoding sequence. */
  readonly #width: number
  #nowMs = 0
  /** The next request to arrive, by order of arrival; those that have, on their way to the scheduler. */
  #next = 0
  /** People who pause, the time up to which their pauses have run, and what of the next request's gap is left then. */
  #pausing = 0
  #pausedUntilMs = 0
  #gapLeft = 0
  readonly #arriving = new EventQueue()
  readonly #waiting: WaitingLine
  readonly #running: RunningList
  readonly #room: CacheRoom

  readonly #state: Uint8Array
  /** Tokens generated before it (re)joined the decoding, the token clock then, and the one at which it is complete or its first token delivered. */
  readonly #generated: Int32Array
  readonly #joined: Float64Array
  readonly #ends: Float64Array
  /** Tokens of its prompt (after a preemption of its answer so far, too) that are computed, and that must be. */
  readonly #progress: Int32Array
  readonly #target: Int32Array
  /** By how much the client sees its tokens later than the first pipeline stage is done with them. */
  readonly #lagMs: Float64Array

  #decoding = 0
  #delivering = 0
  #contextSum = 0
  #tokenClock = 0
  readonly #ending = new EventQueue()
  /** Fraction of a token that drafting owes to all that decode. */
  #owed = 0

  readonly #prefilling: number[] = []
  /** Prompts of the step being made, their tokens, and the sum of what these attend to. */
  readonly #parts: number[] = []
  readonly #partTokens: number[] = []
  #partContext = 0

  constructor(question: ReplicaQuestion) {
    const {requests, limits, rules, drafting, skipFirst, skipLast} = question
    const {count, arrivalMs} = requests
    this.#q = question
    this.#width = 1 + drafting.drafted
    this.#waiting = new WaitingLine(count)
    this.#running = new RunningList(count)
    this.#room = new CacheRoom(rules.blockTokens, limits.kvCacheTokens)
    this.#state = new Uint8Array(count)
    this.#generated = new Int32Array(count)
    this.#joined = new Float64Array(count)
    this.#ends = new Float64Array(count)
    this.#progress = new Int32Array(count)
    this.#target = new Int32Array(count)
    this.#lagMs = new Float64Array(count)
    this.#records = emptyRecords(requests, this.#room.totalBlocks, skipFirst, skipLast)
    this.#closedLoop = Number.isNaN(arrivalMs[count - 1] ?? 0)
    this.#pausing = question.population?.people ?? 0
    this.#gapLeft = requests.gaps?.[0] ?? 0
    while (this.#next < count && !Number.isNaN(arrivalMs[this.#next]!)) this.#arrive(arrivalMs[this.#next]!)
  }

  run(): Records {
    const records = this.#records
    for (;;) {
      this.#endPauses(this.#nowMs)
      while (this.#arriving.next <= this.#nowMs) this.#enqueue(this.#arriving.pop())
      if (this.#running.size > 0 || this.#waiting.size > 0) this.#step()
      else {
        const next = Math.min(this.#arriving.size > 0 ? this.#arriving.next : Infinity, this.#nextPauseEndMs())
        if (next === Infinity) break
        this.#nowMs = next
      }
    }
    let end = this.#nowMs
    for (const finish of records.finishMs) if (finish > end) end = finish
    records.toMs = Math.min(records.toMs, end)
    return records
  }

  /** The client sends its next request. */
  #arrive(atMs: number): void {
    const records = this.#records
    const {delivery} = this.#q
    const id = this.#next++
    records.arrivalMs[id] = atMs
    if (id === records.measuredFrom) records.fromMs = atMs
    if (id === records.measuredTo) records.toMs = atMs
    this.#arriving.push(atMs + delivery.requestMs + delivery.requestMsPerInputToken * records.inputTokens[id]!, id)
  }

  /**
   * When the first of those who pause sends a request. Pauses have no memory: with k people in one of mean Z the next ends at the rate k / Z, which
   * changes whenever somebody is answered; a request's gap is used up at that rate.
   */
  #nextPauseEndMs(): number {
    const {population, requests} = this.#q
    if (!population || this.#pausing === 0 || this.#next >= requests.count) return Infinity
    return this.#pausedUntilMs + (this.#gapLeft * population.meanPauseMs) / this.#pausing
  }

  /** Requests of those whose pauses end up to a time. To be asked for before anybody else begins to pause. */
  #endPauses(untilMs: number): void {
    const {population, requests} = this.#q
    if (!population) return
    for (let due = this.#nextPauseEndMs(); due <= untilMs; due = this.#nextPauseEndMs()) {
      this.#pausedUntilMs = due
      this.#pausing -= 1
      this.#arrive(due)
      this.#gapLeft = requests.gaps![this.#next] ?? 0
    }
    this.#gapLeft -= ((untilMs - this.#pausedUntilMs) * this.#pausing) / population.meanPauseMs
    this.#pausedUntilMs = untilMs
  }

  #enqueue(id: number): void {
    const records = this.#records
    if (this.#peakBlocks(id) > this.#room.totalBlocks) {
      records.refused[id] = 1
      this.#state[id] = DONE
      this.#replace(this.#nowMs)
    } else {
      this.#waiting.join(id)
      if (this.#waiting.size > records.peakWaiting) records.peakWaiting = this.#waiting.size
    }
    if (id === this.#q.requests.count - 1) records.waitingAtLastArrival = this.#waiting.size
  }

  #replace(afterMs: number): void {
    if (this.#q.population) this.#pausing += 1
    else if (this.#closedLoop && this.#next < this.#q.requests.count) this.#arrive(afterMs + this.#q.thinkMs)
  }

  /** What it will hold at its end. The last token is never computed with, so it takes no room; drafts of the last step may reach beyond the end. */
  #peakBlocks(id: number): number {
    return this.#room.blocks(this.#records.inputTokens[id]! + this.#records.outputTokens[id]! - 1 + this.#q.drafting.drafted)
  }

  #step(): void {
    const records = this.#records
    const {clock, rules, limits, delivery} = this.#q
    const startMs = this.#nowMs
    this.#parts.length = 0
    this.#partTokens.length = 0
    this.#partContext = 0
    let promptTokens = 0
    let advance = 0
    if (rules.mixedSteps) {
      const preemptions = records.preemptions
      advance = this.#makeRoom()
      // A step always moves prompts on, be the limit so small that decoding fills it. Whoever had to preempt admits nobody.
      const left = limits.maxNumBatchedTokens - (this.#decoding + this.#delivering) * this.#width
      promptTokens = this.#schedulePrompts(Math.max(1, left), records.preemptions === preemptions)
    } else {
      promptTokens = this.#schedulePrompts(Math.max(1, limits.maxNumBatchedTokens), true)
      if (promptTokens === 0) advance = this.#makeRoom()
    }

    const sequences = advance > 0 ? this.#decoding + this.#delivering : 0
    const context = sequences > 0 ? this.#contextSum / sequences : 0
    const prompts = this.#parts.length
    let stepMs = clock.stepMs(sequences * this.#width, context, promptTokens, prompts, promptTokens > 0 ? this.#partContext / promptTokens : 0)
    const lagMs =
      prompts > 0 && clock.stages > 1 ? (stepMs - (sequences > 0 ? clock.stepMs(sequences * this.#width, context, 0, 0, 0) : 0)) * (clock.stages - 1) : 0
    if (delivery.tokensPerSecond !== undefined) stepMs = overlapped(stepMs, (this.#decoding * advance * 1000) / delivery.tokensPerSecond)
    this.#nowMs = startMs + stepMs
    this.#endPauses(this.#nowMs)

    const inside = this.#account(startMs, stepMs)
    records.promptTokensInWindow += inside * promptTokens
    records.computedPromptTokens += promptTokens
    const emitted = records.emittedTokens
    if (advance > 0) this.#advance(advance)
    if (prompts > 0) this.#applyPrompts(startMs, lagMs)
    records.outputTokensInWindow += inside * (records.emittedTokens - emitted)
  }

  /** Adds a step to what is measured. Answers the share of it that lies in the window. */
  #account(startMs: number, stepMs: number): number {
    const records = this.#records
    records.iterations += 1
    if (this.#running.size > records.peakRunning) records.peakRunning = this.#running.size
    if (this.#room.used > records.peakBlocks) records.peakBlocks = this.#room.used
    const insideMs = Math.min(startMs + stepMs, records.toMs) - Math.max(startMs, records.fromMs)
    if (!(insideMs > 0)) return 0
    records.busyMs += insideMs
    records.runningMs += insideMs * this.#running.size
    records.waitingMs += insideMs * this.#waiting.size
    records.blockMs += insideMs * this.#room.used
    return Math.min(1, insideMs / stepMs)
  }

  /** Decoding sequences each get `tokens` further tokens; those that are complete leave. */
  #advance(tokens: number): void {
    const records = this.#records
    this.#tokenClock += tokens
    this.#contextSum += this.#decoding * tokens
    records.emittedTokens += this.#decoding * tokens
    while (this.#ending.next <= this.#tokenClock) {
      const id = this.#ending.pop()
      // Entries from before a preemption are passed over.
      if (this.#ends[id]! > this.#tokenClock) continue
      if (this.#state[id] === DECODING) {
        records.emittedTokens -= this.#tokenClock - this.#ends[id]!
        this.#leaveDecoding(id)
        this.#finish(id)
      } else if (this.#state[id] === DELIVERING) {
        this.#leaveDelivering(id)
        this.#firstToken(id)
      }
    }
  }

  /**
   * Blocks for the next tokens of all that decode, preempting the latest arrivals until they suffice. Answers how
   * many tokens the step yields for each; 0 when nothing decodes.
   */
  #makeRoom(): number {
    if (this.#decoding + this.#delivering === 0) return 0
    const {tokensPerStep} = this.#q.drafting
    let tokens = 1
    if (tokensPerStep !== 1) {
      this.#owed += tokensPerStep
      tokens = Math.max(1, Math.floor(this.#owed + 1e-9))
      this.#owed -= tokens
    }
    const room = this.#room
    let needed = room.neededFor(tokens, this.#tokenClock)
    while (room.used + needed > room.totalBlocks && this.#running.size > 0) {
      this.#preempt(this.#running.newest)
      needed = room.neededFor(tokens, this.#tokenClock)
    }
    room.used += needed
    return this.#decoding + this.#delivering > 0 ? tokens : 0
  }

  #preempt(id: number): void {
    const records = this.#records
    records.preemptions += 1
    if (this.#state[id] === DECODING) {
      records.recomputedTokens += this.#target[id]! + this.#tokenClock - this.#joined[id]!
      this.#leaveDecoding(id)
    } else if (this.#state[id] === DELIVERING) {
      records.recomputedTokens += this.#target[id]!
      this.#leaveDelivering(id)
    } else {
      records.recomputedTokens += this.#progress[id]!
      this.#prefilling.splice(this.#prefilling.indexOf(id), 1)
    }
    this.#release(id)
    this.#state[id] = WAITING
    this.#waiting.goToFront(id)
  }

  /** Fills a step with prompts: those begun first, then the queue in order, as far as tokens, sequences and room allow. Answers the tokens. */
  #schedulePrompts(budget: number, admit: boolean): number {
    const {limits, rules, prefixHitRate} = this.#q
    let left = budget
    for (let i = 0; i < this.#prefilling.length && left > 0; i++) left -= this.#takePart(this.#prefilling[i]!, left)
    while (admit && left > 0 && this.#running.size < limits.maxNumSeqs) {
      const id = this.#waiting.head
      if (id < 0) break
      const input = this.#records.inputTokens[id]!
      const target = input + this.#generated[id]!
      const cached = Math.min(target - 1, Math.round(input * prefixHitRate))
      if (!rules.chunkedPrefill && target - cached > left && this.#parts.length > 0) break
      if (!this.#fits(id, target)) break
      this.#waiting.takeHead()
      this.#state[id] = PREFILLING
      this.#target[id] = target
      this.#progress[id] = cached
      this.#room.used += this.#room.blocks(target)
      this.#room.peakAhead += this.#peakBlocks(id)
      this.#running.append(id)
      this.#prefilling.push(id)
      left -= this.#takePart(id, left)
    }
    return budget - left
  }

  #takePart(id: number, left: number): number {
    const rest = this.#target[id]! - this.#progress[id]!
    const tokens = this.#q.rules.chunkedPrefill ? Math.min(rest, left) : rest
    this.#parts.push(id)
    this.#partTokens.push(tokens)
    this.#partContext += tokens * (this.#progress[id]! + tokens / 2)
    return tokens
  }

  /** Room for the prompt, and for the reserved share of what it and the others will still need. Whoever is alone always fits. */
  #fits(id: number, target: number): boolean {
    if (this.#running.size === 0) return true
    const {reservedOutputShare: reserved, freeCacheShare} = this.#q.rules
    const {used, peakAhead, totalBlocks} = this.#room
    const now = used + this.#room.blocks(target)
    const ahead = peakAhead + this.#peakBlocks(id)
    return now <= totalBlocks && now + reserved * (ahead - now) <= totalBlocks * (1 - freeCacheShare)
  }

  /** The step's prompts are computed; each that is complete yields a token and decodes from now on. */
  #applyPrompts(startMs: number, lagMs: number): void {
    const {startMs: started, firstTokenMs} = this.#records
    let complete = false
    for (let i = 0; i < this.#parts.length; i++) {
      const id = this.#parts[i]!
      this.#progress[id]! += this.#partTokens[i]!
      if (Number.isNaN(started[id]!)) started[id] = startMs
      if (this.#progress[id]! < this.#target[id]!) continue
      complete = true
      if (Number.isNaN(firstTokenMs[id]!)) {
        this.#lagMs[id] = lagMs
        this.#deliver(id)
      } else this.#nextToken(id)
    }
    if (!complete) return
    let kept = 0
    for (const id of this.#prefilling) if (this.#state[id] === PREFILLING) this.#prefilling[kept++] = id
    this.#prefilling.length = kept
  }

  /** Its first token is with the client some whole steps from now. */
  #deliver(id: number): void {
    const {firstTokenSteps, firstTokenGrowth, furtherFirstTokenSteps, mostFirstTokenShare = Infinity} = this.#q.delivery
    const most = mostFirstTokenShare * this.#records.outputTokens[id]!
    const steps = Math.round(Math.min(most, firstTokenSteps * this.#running.size ** firstTokenGrowth + furtherFirstTokenSteps))
    if (steps <= 0) {
      this.#firstToken(id)
      return
    }
    this.#state[id] = DELIVERING
    this.#ends[id] = this.#tokenClock + steps
    this.#ending.push(this.#ends[id]!, id)
    this.#contextSum += this.#records.inputTokens[id]!
    this.#delivering += 1
  }

  #leaveDelivering(id: number): void {
    this.#contextSum -= this.#records.inputTokens[id]!
    this.#delivering -= 1
  }

  #firstToken(id: number): void {
    this.#records.firstTokenMs[id] = this.#nowMs + this.#lagMs[id]!
    this.#nextToken(id)
  }

  /** The token that a computed prompt yields. */
  #nextToken(id: number): void {
    this.#generated[id]! += 1
    this.#records.emittedTokens += 1
    const rest = this.#records.outputTokens[id]! - this.#generated[id]!
    if (rest <= 0) {
      this.#finish(id)
      return
    }
    this.#state[id] = DECODING
    this.#joined[id] = this.#tokenClock
    this.#ends[id] = this.#tokenClock + rest
    this.#ending.push(this.#ends[id]!, id)
    this.#contextSum += this.#records.inputTokens[id]! + this.#generated[id]!
    this.#decoding += 1
    this.#room.startGrowing(this.#target[id]!, this.#tokenClock)
  }

  #leaveDecoding(id: number): void {
    const grown = this.#tokenClock - this.#joined[id]!
    this.#room.stopGrowing(this.#target[id]!, this.#joined[id]!, grown)
    this.#contextSum -= this.#records.inputTokens[id]! + this.#generated[id]! + grown
    this.#decoding -= 1
    this.#generated[id]! += grown
  }

  #finish(id: number): void {
    this.#release(id)
    this.#state[id] = DONE
    const finishMs = this.#nowMs + this.#lagMs[id]!
    this.#records.finishMs[id] = finishMs
    this.#replace(finishMs)
  }

  /** Gives back the cache and the place among the running. */
  #release(id: number): void {
    this.#room.used -= this.#room.blocks(this.#target[id]!)
    this.#room.peakAhead -= this.#peakBlocks(id)
    this.#running.remove(id)
  }
}

/** A step of `stepMs` whose tokens take `streamMs` to deliver, mostly at the same time. */
function overlapped(stepMs: number, streamMs: number): number {
  if (streamMs < stepMs / 4) return stepMs
  const high = Math.max(stepMs, streamMs)
  const ratio = Math.min(stepMs, streamMs) / high
  return high * (1 + ratio ** STREAMING_EXPONENT) ** (1 / STREAMING_EXPONENT)
}

/** Serves all requests of the question and tells what happened to each. */
export const serve = (question: ReplicaQuestion): Records => new Replica(question).run()
