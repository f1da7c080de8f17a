/** `data/engines/lora.yaml`: which models an engine puts adapters on, and where. */
export interface LoraTable {
  vllm: {
    /** Release that the lists were read in. */
    release: string
    /** Classes that take no adapters. */
    without: string[]
    /** Classes whose input embedding and head get adapters too. */
    embeddings: string[]
    /** Classes whose experts have one first factor for gate and up. */
    fusedExperts: string[]
    source: string
  }
}
