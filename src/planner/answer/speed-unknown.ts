/** What can be told of cards whose bandwidth nobody knows: whether a model fits, and no speed. */
import type {Accelerator} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {pacingAccelerator} from '../world/index.ts'
import type {Objectives} from '../scenario/index.ts'
import {hasLimits} from './limits.ts'
import type {Evaluation} from './evaluation.ts'

/** Said of a load, where a speed was assumed to say it. */
const OF_SPEED: readonly string[] = ['slo-uncertain', 'overload-possible', 'speculation-slower']

/** Whether nothing that a speed could be predicted from is known of a card. */
export const isSpeedUnknown = ({memoryBandwidthBytesPerSecond}: Accelerator): boolean => memoryBandwidthBytesPerSecond === undefined

/** A card that was detected may have no name that --gpu takes: none is made up. */
const how = ({name}: Accelerator): string => `the memory bandwidth of ${name} is not known (--gpu CARD:bandwidth=...GB/s gives it)`

/**
 * The same answer without the speed that was assumed in order to choose among layouts and checkpoints. A load or limits that were asked for cannot be
 * judged then: at best it is tight.
 */
export function withoutAssumedSpeed(evaluation: Evaluation, slo: Objectives = {}): Evaluation {
  const {machine, performance, workload, verdict, warnings} = evaluation
  const accelerator = pacingAccelerator(machine)
  if (!performance || !isSpeedUnknown(accelerator)) return evaluation
  const asked = hasLimits(slo) || workload?.requestRate !== undefined
  const rest = warnings.filter(({code}) => !OF_SPEED.includes(code))
  return {
    ...evaluation,
    performance: undefined,
    tail: undefined,
    ...(verdict === 'too-slow' && {reasons: []}),
    verdict: verdict === 'fits' && !asked ? 'fits' : asked && ['fits', 'too-slow'].includes(verdict) ? 'tight' : verdict,
    warnings: [
      ...(asked ? [{code: 'slo-uncertain', message: 'whether the load and the limits are kept cannot be told'}] : []),
      ...rest,
      {code: 'speed-unknown', message: `no speed is predicted, since ${how(accelerator)}`},
    ],
  }
}

/** @throws InputError SPEED_UNKNOWN where what is asked is a comparison of speeds. */
export function requireSpeed(accelerator: Accelerator, what: string): void {
  if (isSpeedUnknown(accelerator))
    throw new InputError('SPEED_UNKNOWN', `${what} compares speeds, and ${how(accelerator)}; servefit check tells whether a model fits it`)
}
