import type {Engine, EngineData} from '../engine.ts'
import {identityOf} from '../identity.ts'
import {draftingOf} from '../speculation/drafter.ts'
import {supportOf} from '../support.ts'
import {sglangLaunch} from './launch.ts'
import {sglangCacheLayout, sglangLayout} from './layout.ts'
import {sglangLayoutReasons} from './layout-rules.ts'
import {sglangMemory} from './memory.ts'
import {sglangOffload} from './offload.ts'
import {resolveSglang} from './resolve.ts'
import {sglangVerification} from './speculation.ts'

export function createSglang(data: EngineData): Engine {
  const id = 'sglang'
  return {
    id,
    ...identityOf(data),
    // Of the whole, where graphs and activations need the rest (SemiAnalysisAI/InferenceX scripts: 0.82 to 0.95).
    mostMemoryShare: 0.92,
    startsReplicas: true,
    resolve: (subject, request) => resolveSglang(subject, request, data),
    support: (subject, deployment) =>
      supportOf({id, title: data.title, subject, deployment, layout: sglangLayout(deployment), ownReasons: sglangLayoutReasons(subject, deployment), data}),
    memory: (subject, deployment) => sglangMemory(subject, deployment, data),
    shardLayout: sglangLayout,
    cacheLayout: sglangCacheLayout,
    drafting: (subject, deployment) =>
      draftingOf({table: data.support.speculation, subject, deployment, launchedByHost: false, verification: sglangVerification(deployment)}),
    offload: sglangOffload,
    gpuCount: ({tp, pp, dp, dpAttention}) => tp * pp * (dpAttention ? 1 : dp),
    launch: (subject, deployment) => sglangLaunch(subject, deployment, data.needs),
  }
}
