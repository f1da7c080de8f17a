import type {Model} from '../../core/model.ts'

/** Kinds of layers by what they keep of a sequence: `full`, `window`, and the recurrent ones by name. */
export const kindsOfLayers = ({architecture}: Pick<Model, 'architecture'>): Set<string> =>
  new Set(architecture.layerKinds.flatMap(({mixers}) => mixers.map((mixer) => (mixer.kind === 'full' && mixer.window ? 'window' : mixer.kind))))
