import {OLDEST_DRIVER} from '../core/cuda-drivers.ts'
import type {DetectedGpu, MachineProblem} from './machine-document.ts'

/**
 * CUDA that the current images of engines are built for. vLLM: `ARG CUDA_VERSION=13.0.3` in docker/Dockerfile at
 * 385dce36bcee42309924a5ece951a96db3dce7f2, 12.9.1 at 275de34170654274616082721348b7edd9741d32 before. SGLang: images with
 * `-cu130` in their tag since 0.5.14. TensorRT-LLM: not looked up, so nothing is said of it.
 */
const IMAGES = {cuda: 13, engines: 'vLLM and SGLang', olderTag: 'images or wheels built for CUDA 12 (`cu129` in their name)'} as const

/** What a driver that is too old for the current images means. Jetson boards have drivers and images of their own. */
export function cudaProblem(gpus: DetectedGpu[]): MachineProblem[] {
  const {driver} = gpus.find(({vendor, driver}) => vendor === 'nvidia' && driver !== undefined) ?? {}
  if (driver === undefined || gpus.some(({name, vendor}) => vendor === 'nvidia' && /\bJetson\b|\bOrin\b|\(nvgpu\)/i.test(name))) return []
  const major = Number(driver.split('.')[0])
  const runs = OLDEST_DRIVER.find((release) => major >= release.driver)?.cuda
  if (runs !== undefined && runs >= IMAGES.cuda) return []
  const needed = OLDEST_DRIVER.find((release) => release.cuda === IMAGES.cuda)?.driver
  const words = runs === undefined ? 'no CUDA release that engines still use' : `programs for CUDA ${runs}`
  return [
    {
      code: 'driver-old-for-images',
      message: `Driver ${driver} runs ${words}; the current images of ${IMAGES.engines} are built for CUDA ${IMAGES.cuda}`,
      remedy: `update the driver to ${needed} or later${runs === 12 ? `, or take ${IMAGES.olderTag}` : ''}`,
    },
  ]
}
