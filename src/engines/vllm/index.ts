import type {Engine, EngineData} from '../engine.ts'
import {identityOf} from '../identity.ts'
import {asLoaded} from '../loaded.ts'
import {draftingOf} from '../speculation/drafter.ts'
import {supportOf} from '../support.ts'
import {piecewiseByDefault} from './attention-workspace.ts'
import {vllmLaunch} from './launch.ts'
import {vllmOffload} from './offload.ts'
import {vllmLayout} from './layout.ts'
import {vllmLayoutReasons} from './layout-rules.ts'
import {vllmCacheLayout, vllmMemory} from './memory.ts'
import {resolveVllm} from './resolve.ts'
import {vllmVerification} from './speculation.ts'

export function createVllm(data: EngineData): Engine {
  const id = 'vllm'
  return {
    id,
    ...identityOf(data),
    // Recipes and benchmark scripts go to 0.95 (vllm-project/recipes, SemiAnalysisAI/InferenceX).
    mostMemoryShare: 0.95,
    startsReplicas: true,
    resolve: (subject, request) => resolveVllm(subject, request, data),
    support: (subject, deployment) =>
      supportOf({id, title: data.title, subject, deployment, layout: vllmLayout(deployment), ownReasons: vllmLayoutReasons(subject, deployment), data}),
    memory: (subject, deployment) => vllmMemory(subject, deployment, data),
    asLoaded: (subject, deployment) => asLoaded(subject, deployment, data),
    shardLayout: vllmLayout,
    cacheLayout: vllmCacheLayout,
    piecewiseByDefault,
    drafting: (subject, deployment) =>
      draftingOf({table: data.support.speculation, subject, deployment, launchedByHost: true, verification: vllmVerification(subject, deployment)}),
    offload: vllmOffload,
    gpuCount: ({tp, pp, dp}) => tp * pp * dp,
    launch: (subject, deployment) => vllmLaunch(subject, deployment, data.needs),
  }
}
