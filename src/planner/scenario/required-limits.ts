import {InputError} from '../../core/input-error.ts'
import type {Objectives} from './scenario.ts'

/**
 * A percentile says how many requests must keep the limits: without a limit it asks nothing.
 * @throws InputError SLO_PERCENTILE_ALONE.
 */
export function requireLimits({ttftMs, tpotMs, endToEndMs, percentile}: Objectives): void {
  if (percentile === undefined || ttftMs !== undefined || tpotMs !== undefined || endToEndMs !== undefined) return
  throw new InputError(
    'SLO_PERCENTILE_ALONE',
    `--slo-percentile ${percentile} is given without a limit that so many requests must keep: expected --slo-ttft-ms, --slo-tpot-ms or --slo-e2e-ms beside it`,
  )
}
