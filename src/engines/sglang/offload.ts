/**
 * Weights in host memory. `--cpu-offload-gb` keeps parameters of the layers, the first ones first, in pinned memory; before a layer runs, all that it has there is
 * copied to the card, experts that no token chose among it, on the stream that computes (sglang/srt/utils/offloader.py OffloaderV1 up to 0.5.23).
 */
import type {OffloadUse, Subject} from '../engine.ts'
import {sharedMemory} from '../offload.ts'

export const sglangOffload = (subject: Subject): OffloadUse => sharedMemory(subject) ?? {reading: 'copied'}
