import type {Deployment} from '../../core/deployment.ts'
import {dictionary} from '../../core/dictionary.ts'
import type {Verification} from '../../core/throughput/drafting.ts'
import {isAtLeast} from '../versions.ts'

/** SGLang's words for the methods of speculative decoding (python/sglang/srt/server_args.py --speculative-algorithm, 0.5.18). */
const ALGORITHMS: Record<string, string> = dictionary({mtp: 'EAGLE', draft_model: 'STANDALONE'})

export const sglangAlgorithm = (method: string): string => (Object.hasOwn(ALGORITHMS, method) ? ALGORITHMS[method]! : method.toUpperCase())

/**
 * Before 0.5.11 drafts switch the overlap scheduler off, so that the host's work for a step is not done ahead (python/sglang/srt/server_args.py, 0.5.7 and 0.5.10.post1: "Overlap
 * scheduler is disabled when spec v2 is off", which SGLANG_ENABLE_SPEC_V2 turns on and which is the default from 0.5.11). With and without it, a step takes 12.1 and
 * 11.0 ms with Llama-3.1-8B and EAGLE (sgl-project/sglang#11398), 21.1 and 16.5 ms with Qwen3-8B, DFlash and 32 users on a B200 (#20547): the geometric mean of both.
 */
const OVERLAPPED_SINCE = '0.5.11'
/** "Overlap scheduler is disabled when using DFLASH speculative decoding (spec v2 is not supported yet)" in 0.5.11 and 0.5.12. */
const DFLASH_OVERLAPPED_SINCE = '0.5.13'
const HOST_SECONDS_PER_STEP = 2.2e-3

export const sglangVerification = ({engineVersion, speculative}: Pick<Deployment, 'engineVersion' | 'speculative'>): Verification | undefined =>
  isAtLeast(engineVersion, speculative?.method === 'dflash' ? DFLASH_OVERLAPPED_SINCE : OVERLAPPED_SINCE)
    ? undefined
    : {hostSecondsPerStep: HOST_SECONDS_PER_STEP}
