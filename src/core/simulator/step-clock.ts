import type {StepModel} from '../throughput/step.ts'

/** How long steps of one replica take: always more than nothing. A pure function: the same state, the same time. */
export interface StepClock {
  /**
   * Milliseconds until the next step can start. `contextTokens` is the mean that each decoding sequence attends to,
   * `promptContextTokens` the mean over the prompt tokens of this step.
   */
  stepMs(decodeSequences: number, contextTokens: number, promptTokens: number, promptSequences: number, promptContextTokens: number): number
  /**
   * Pipeline stages that hold different prompts at a time: what a prompt adds to a step is the share of one stage, and its
   * token comes out as much later as the other stages need. Decode time is that of the whole pipeline with the sequences split evenly.
   */
  stages: number
}

/**
 * Steps as the speed model times them. A prompt passes the stages one after another while decoding goes on in all. `tokensPerSequence`: the
 * simulator counts the tokens that are computed, of which a sequence has more than one where drafts are checked.
 */
export function clockOf(model: StepModel, tokensPerSequence = 1): StepClock {
  const {stages} = model
  const time = (decodeTokens: number, contextTokens: number, promptTokens: number, promptSequences: number, promptContextTokens: number) =>
    1000 * model.time({decodeSequences: decodeTokens / tokensPerSequence, contextTokens, promptTokens, promptSequences, promptContextTokens}).total
  if (stages <= 1) return {stages: 1, stepMs: time}
  return {
    stages,
    stepMs(decode, context, prompt, sequences, promptContext) {
      const decodeMs = decode > 0 ? time(decode, context, 0, 0, 0) : 0
      return prompt > 0 ? decodeMs + (time(decode, context, prompt, sequences, promptContext) - decodeMs) / stages : decodeMs
    },
  }
}
