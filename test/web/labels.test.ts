import {h} from 'preact'
import {renderToString} from 'preact-render-to-string'
import {describe, expect, it} from 'vitest'
import {FIELDS} from '../../src/web/question/fields.ts'
import {flagsInLabels, labelOf} from '../../src/web/question/labels.ts'
import {Flagged} from '../../src/web/views/flagged.tsx'

describe('what fields are called', () => {
  it('each has a name that no other has', () => {
    // The runner comes with a link alone and has no field; limits are set by the fields of that group.
    const named = FIELDS.map(({flag}) => flag).filter((flag) => flag !== 'runner' && flag !== 'limit')
    for (const flag of named) expect(labelOf(flag)).not.toBe(flag)
    expect(new Set(named.map(labelOf)).size).toBe(named.length)
  })

  it('and flags of advice are told by it', () => {
    expect(flagsInLabels('--tp 4 --kv-cache fp8')).toBe('Tensor parallel: 4, KV cache: fp8')
    expect(flagsInLabels('--gpu 2xrtx-5090 without a fixed layout')).toBe('Cards: 2xrtx-5090 without a fixed layout')
    expect(flagsInLabels('--enforce-eager')).toBe('No CUDA graphs')
    expect(flagsInLabels('--users 4')).toBe('Users at once: 4')
    // What is no field, or no flag, stays.
    expect(flagsInLabels('--no-such-flag 1')).toBe('--no-such-flag 1')
    expect(flagsInLabels('Qwen/Qwen3-32B-AWQ')).toBe('Qwen/Qwen3-32B-AWQ')
  })
})

describe('flags in a sentence', () => {
  /** What can be pressed, and the sentence as it is read. */
  const shown = (text: string) => {
    const html = renderToString(h(Flagged, {text, press: () => {}}))
    return {
      buttons: [...html.matchAll(/<button[^>]*title="([^"]*)"[^>]*>(.*?)<\/button>/g)].map(([, title, words]) => `${title}: ${words}`),
      text: html.replaceAll(/<[^>]*>/g, ''),
    }
  }
  const ASK = 'Ask with this'
  const SHOW = 'Show where it is set'

  it('with a value are set, without one shown where they are set', () => {
    for (const [text, buttons] of [
      ['It loses more: --prefer speed takes it.', [`${ASK}: --prefer speed`]],
      ['--speculative eagle3:3 (org/draft) would bring 23%', [`${ASK}: --speculative eagle3:3`]],
      ['left out: --gpu 1xrtx-4090,1xrtx-3090 asks about all', [`${ASK}: --gpu 1xrtx-4090,1xrtx-3090`]],
      ['the --slo flags change them, and --slo none removes them.', [`${SHOW}: --slo`, `${ASK}: --slo none`]],
      ['left out: --gpu can name a mix', [`${SHOW}: --gpu`]],
      ['started with --gpu-memory-utilization 0.95: the default leaves too little', [`${ASK}: --gpu-memory-utilization 0.95`]],
      ['a card by its figures: --gpu 1xcard:memory=...,bandwidth=... gives them', [`${SHOW}: --gpu`]],
      // Flags of engines and tools are no fields.
      ['nvidia-smi --query-gpu=name and --public, --constructor 1', []],
    ] as const) {
      expect(shown(text).buttons).toEqual(buttons)
      expect(shown(text).text).toBe(text)
    }
  })

  it('are words where nothing can be pressed, as in a report', () => {
    expect(renderToString(h(Flagged, {text: '--prefer speed takes <it>', press: undefined}))).toBe('<span class="together">--prefer</span> speed takes &lt;it>')
  })
})
