/**
 * Tables of the cache's blocks: a row for every sequence that may run, as long as the longest request, 4 bytes for each block of it.
 *
 * The first model runner makes them before it looks what is left (v1/worker/gpu_model_runner.py InputBatch, v1/worker/block_table.py BlockTable.block_table;
 * 0.10.2 to 0.28.0), the second behind the cache, and a copy that each step reads (v1/worker/gpu/model_runner.py initialize_kv_cache, v1/worker/gpu/block_table.py
 * block_tables and input_block_tables; 0.28.0 and 0.33.0). Models whose blocks hold more than one kind of layer get them behind the cache under the
 * first as well (may_reinitialize_input_batch); one group's row is counted there, those of windows and states are as long or shorter.
 */
import type {Deployment} from '../../core/deployment.ts'

const BLOCK_NUMBER_BYTES = 4

export interface BlockTables {
  /** Taken before the cache is sized: less room for it. */
  withinBytes: number
  /** Made when the cache has its share. */
  behindBytes: number
}

export function blockTables(
  {maxNumSeqs, maxModelLen, decodeContextParallel = 1}: Pick<Deployment, 'maxNumSeqs' | 'maxModelLen' | 'decodeContextParallel'>,
  {blockTokens, second, mixed}: {blockTokens: number; second: boolean; mixed: boolean},
): BlockTables {
  const bytes = maxNumSeqs * Math.ceil(maxModelLen / (blockTokens * decodeContextParallel)) * BLOCK_NUMBER_BYTES
  if (second) return {withinBytes: 0, behindBytes: 2 * bytes}
  return mixed ? {withinBytes: 0, behindBytes: bytes} : {withinBytes: bytes, behindBytes: 0}
}
