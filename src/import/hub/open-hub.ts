import type {InputError} from '../../core/input-error.ts'
import {accessToken, type Environment} from '../hf-cache.ts'
import type {ModelFolder} from '../model-folder.ts'
import {HubClient, type HubEffects, HubSilent, HubUnreachable} from './client.ts'
import {hubRepository} from './repository.ts'

const PUBLIC_HUB = 'https://huggingface.co'
const TIMEOUT_MS = 20_000
const LONGEST_WAIT_MS = 10_000

/** A hub as the environment names it, asked for repositories one by one. */
export interface Hub {
  repository(id: string): Promise<ModelFolder>
}

const isSet = (value: string | undefined): boolean => /^(1|true|yes|on)$/i.test(value?.trim() ?? '')

/** True where the environment forbids asking the hub (huggingface_hub `constants.py`). */
export const isOffline = (env: Environment): boolean => isSet(env.HF_HUB_OFFLINE) || isSet(env.TRANSFORMERS_OFFLINE)

export const realHubEffects: HubEffects = {
  fetch: (...request) => globalThis.fetch(...request),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now: () => Date.now(),
}

export interface HubLimits {
  timeoutMs?: number
  longestWaitMs?: number
}

/** Opens the hub of HF_ENDPOINT, with HF_TOKEN or the token of a login. After one failure to reach it, or to hear of it in time, it is not tried again. */
export function openHub(
  env: Environment,
  effects: HubEffects = realHubEffects,
  {timeoutMs = TIMEOUT_MS, longestWaitMs = LONGEST_WAIT_MS}: HubLimits = {},
): Hub {
  let client: Promise<HubClient> | undefined
  let unreachable: InputError | undefined
  const connect = async () => new HubClient({endpoint: env.HF_ENDPOINT?.trim() || PUBLIC_HUB, token: await accessToken(env), timeoutMs, longestWaitMs}, effects)
  return {
    repository: async (id) => {
      if (unreachable) throw unreachable
      client ??= connect()
      try {
        return await hubRepository(await client, id)
      } catch (error) {
        if (error instanceof HubUnreachable || error instanceof HubSilent) unreachable = error
        throw error
      }
    },
  }
}
