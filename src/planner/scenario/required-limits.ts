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
    `--slo-percentile ${percentile} means nothing without a limit: give --slo-ttft-ms, --slo-tpot-ms or --slo-e2e-ms too`,
  )
}
