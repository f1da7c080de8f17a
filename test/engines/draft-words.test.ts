import {describe, expect, it} from 'vitest'
import {speculationFrom} from '../../src/engines/words.ts'
import {parseSpeculation} from '../../src/planner/scenario/speculation.ts'

// Commands in the recipes of vLLM 0.33.0 (recipes/models): dflash 7 in 8 of 11, dspark 7 in 18 of 49; one layer of multi-token prediction drafts one.
describe('tokens to draft, where nobody says how many', () => {
  it.each([
    ['dflash', 7],
    ['dspark', 7],
    ['mtp', 1],
    ['eagle3', 1],
    ['dflash:15', 15],
    ['dspark, org/draft, 5 draft tokens', 5],
  ])('%s: %i', (text, tokens) => expect(parseSpeculation(text).tokens).toBe(tokens))

  it.each([
    [{method: 'dflash', model: 'org/draft'}, 7],
    [{method: 'dspark', num_speculative_tokens: 5}, 5],
    [{method: 'mtp'}, 1],
  ])('%j: %i', (config, tokens) => expect(speculationFrom(config).tokens).toBe(tokens))
})
