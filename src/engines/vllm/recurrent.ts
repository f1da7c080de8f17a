import type {Mixer} from '../../core/architecture.ts'
import type {Subject} from '../engine.ts'

const RECURRENT = new Set<Mixer['kind']>(['gated-delta-net', 'kimi-delta', 'lightning', 'mamba2', 'mamba1', 'short-conv'])

/** It keeps a state for each request instead of a cache that grows. */
export const isRecurrentMixer = ({kind}: Mixer): boolean => RECURRENT.has(kind)

/** Whether some layers keep a state for each request instead of a cache that grows. */
export const isRecurrent = ({model}: Subject): boolean => model.architecture.layerKinds.some(({mixers}) => mixers.some(isRecurrentMixer))
