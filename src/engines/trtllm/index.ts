import type {Engine, EngineData} from '../engine.ts'
import {identityOf} from '../identity.ts'
import {draftingOf} from '../speculation/drafter.ts'
import {supportOf} from '../support.ts'
import {trtllmLaunch} from './launch.ts'
import {trtllmCacheLayout, trtllmLayout} from './layout.ts'
import {trtllmLayoutReasons} from './layout-rules.ts'
import {trtllmMemory} from './memory.ts'
import {resolveTrtllm} from './resolve.ts'

export function createTrtllm(data: EngineData): Engine {
  const id = 'trtllm'
  return {
    id,
    ...identityOf(data),
    // Of what is free (SemiAnalysisAI/InferenceX trt scripts: 0.75 to 0.95).
    mostMemoryShare: 0.95,
    startsReplicas: false,
    resolve: (subject, request) => resolveTrtllm(subject, request, data),
    support: (subject, deployment) =>
      supportOf({id, title: data.title, subject, deployment, layout: trtllmLayout(deployment), ownReasons: trtllmLayoutReasons(subject, deployment), data}),
    memory: (subject, deployment) => trtllmMemory(subject, deployment, data),
    shardLayout: trtllmLayout,
    cacheLayout: (_subject, deployment) => trtllmCacheLayout(deployment),
    drafting: (subject, deployment) => draftingOf({table: data.support.speculation, subject, deployment, launchedByHost: false}),
    gpuCount: ({tp, pp, dp, dpAttention}) => tp * pp * (dpAttention ? 1 : dp),
    launch: (subject, deployment) => trtllmLaunch(subject, deployment, data.needs),
  }
}
