import type {Evaluation, PoolingAnswer} from '../planner/answer/index.ts'
import {count, duration, rate} from './numbers.ts'

const span = ({low, high}: {low: number; high: number}, words: (value: number) => string): string => `(${words(low)} to ${words(high)})`

/** `load`: the load in words. What `check` says of an embedding model or a reranker, in the place of context, cache and speed. */
export function poolingRows({deployment, model, workload, memory, verdict, performance}: Evaluation, answer: PoolingAnswer, load: string): [string, string][] {
  const kind =
    answer.task === 'embed'
      ? 'an embedding model: it turns texts into vectors and generates nothing'
      : 'a reranker: it scores pairs of texts and generates nothing'
  if (verdict === 'unsupported') return [['Kind', `${kind} (runner pooling)`]]
  const cache = model.pooling?.bidirectional && memory.kvCacheTokens === 0 ? ', and nothing is cached' : ''
  const rows: [string, string][] = [
    ['Kind', `${kind} (runner pooling)`],
    ['Text', `up to ${count(deployment.maxModelLen)} tokens${cache}`],
    ['Batch', `at most ${count(answer.batchTokens)} tokens of at most ${count(answer.batchTexts)} texts in one step`],
  ]
  if (memory.kvCacheTokens > 0) rows.push(['KV cache', `${count(memory.kvCacheTokens)} tokens; the engine takes all the memory that its share leaves`])
  if (answer.inputTokensPerSecond && answer.textsPerSecond && answer.latencyMs) {
    const {inputTokensPerSecond: tokens, textsPerSecond: texts, latencyMs} = answer
    rows.push(
      [
        'Throughput',
        `${rate(texts.estimate)} texts/s of ${count(workload?.inputTokens ?? 0)} tokens in full batches, ${rate(tokens.estimate)} input tokens/s ${span(tokens, rate)}`,
      ],
      ['Latency', `${duration(latencyMs.estimate)} ${span(latencyMs, duration)} for one text alone`],
    )
    // With one request in flight that is all there is to say.
    if (performance && workload && (workload.requestRate !== undefined || (workload.concurrency ?? 1) !== 1))
      rows.push(['Load', `${load}: each text takes ${duration(performance.ttftMs.estimate)} ${span(performance.ttftMs, duration)}`])
  }
  if (answer.inputTokensPerSecond) rows.push(['Basis', 'estimated from the prefill of models that generate text: no embedding model or reranker was measured'])
  if (answer.leastGpuMemoryUtilization !== undefined)
    rows.push(['Smallest share', `--gpu-memory-utilization ${answer.leastGpuMemoryUtilization} is the smallest share that starts with this length`])
  return rows
}
