import {dictionary} from '../../core/dictionary.ts'

/** SGLang's words for the methods of speculative decoding (python/sglang/srt/server_args.py --speculative-algorithm, 0.5.18). */
const ALGORITHMS: Record<string, string> = dictionary({mtp: 'EAGLE', draft_model: 'STANDALONE'})

export const sglangAlgorithm = (method: string): string => (Object.hasOwn(ALGORITHMS, method) ? ALGORITHMS[method]! : method.toUpperCase())
