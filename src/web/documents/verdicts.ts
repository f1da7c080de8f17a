import type {Verdict} from '../../planner/answer/index.ts'

export type Tone = 'good' | 'warn' | 'bad'

/** Verdicts as they are shown. */
export const VERDICTS: Record<Verdict, {word: string; tone: Tone}> = {
  fits: {word: 'fits', tone: 'good'},
  tight: {word: 'tight', tone: 'warn'},
  'too-slow': {word: 'too slow', tone: 'bad'},
  'does-not-fit': {word: 'does not fit', tone: 'bad'},
  unsupported: {word: 'unsupported', tone: 'bad'},
}
