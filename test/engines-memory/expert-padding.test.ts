import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {WHOLE, wholeModel} from '../../src/core/weights.ts'
import {expertPaddingBytes, sglangExpertTile, vllmExpertTile} from '../../src/engines/expert-padding.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const card = (id: string) => catalogue.gpu(id)!
const GIB = 1024 ** 3

function padding(model: string, gpu: string, version: string, tp = 1): number {
  const {architecture, checkpoints} = catalogue.model(model)
  const checkpoint = checkpoints.find(({weights}) => weights === 'mxfp4')!
  return expertPaddingBytes(architecture, checkpoint, {...WHOLE, expertTp: tp}, wholeModel(architecture), vllmExpertTile(card(gpu), version, false))
}

describe('padding of MXFP4 experts in vLLM', () => {
  // 24 layers x 32 experts x 3 matrices of 2,880 x 2,880 at 17/32 bytes; Marlin stores them as 2,944 x 3,072.
  it('gpt-oss-20b by Marlin on a 3090', () => {
    expect(padding('gpt-oss-20b', 'rtx-3090', '0.12.0')).toBe((24 * 32 * 3 * (2944 * 3072 - 2880 * 2880) * 17) / 32)
  })

  // Logged: 65.97 GiB for gpt-oss-120b by Marlin, 60.77 are its content.
  it('gpt-oss-120b by Marlin: 5.1 GiB', () => expect(padding('gpt-oss-120b', 'rtx-pro-6000-blackwell-ws', '0.28.0') / GIB).toBeCloseTo(5.13, 1))

  // Triton on Hopper: 2,880 inputs become 3,072, outputs stay: a fifteenth of 24 x 32 x 3 x 2,880 x 2,880 x 17/32. Logged: 13.47 GiB with 12.82 of content.
  it('gpt-oss-20b by Triton on an H100: 0.63 GiB', () =>
    expect(padding('gpt-oss-20b', 'h100-sxm', '0.11.0')).toBe((24 * 32 * 3 * 2880 * (3072 - 2880) * 17) / 32))

  // 720 columns of a rank become 768; 720 inputs have 23 scales a row, the last for half a group. Logged: 17.22 GiB on each of four
  // A100, 15.22 are content.
  it('gpt-oss-120b over four A100: 1.9 GiB each', () => {
    const gateAndUp = ((2 * 768 * 3072 - 2 * 720 * 2880) * 17) / 32
    const down = 3072 * (768 / 2 + 24) - 2880 * (720 / 2 + 23)
    expect(padding('gpt-oss-120b', 'a100-80gb-sxm', '0.10.1', 4)).toBe(36 * 128 * (gateAndUp + down))
  })

  it('nothing else is padded', () => {
    const {architecture, checkpoints} = catalogue.model('qwen3-30b-a3b')
    expect(expertPaddingBytes(architecture, checkpoints[0]!, WHOLE, wholeModel(architecture), vllmExpertTile(card('h100-sxm'), '0.28.0', false))).toBe(0)
  })
})

describe('which tile', () => {
  it('by card and release', () => {
    expect(vllmExpertTile(card('b200-sxm'), '0.27.0', false)).toMatchObject({intermediate: 256, hidden: 256})
    expect(vllmExpertTile(card('b200-sxm'), '0.28.0', false)).toMatchObject({intermediate: 128, hidden: 256})
    expect(vllmExpertTile(card('radeon-ai-pro-r9700'), '0.13.0', false)).toMatchObject({intermediate: 128, hidden: 128})
    expect(vllmExpertTile(card('mi355x'), '0.13.0', false)).toMatchObject({intermediate: 256, hidden: 256})
    // MoEActivation.SITU is rounded to 128 (0.28.0 to 0.33.0): 3,072 columns over eight ranks are three such tiles each.
    expect(vllmExpertTile(card('mi325x'), '0.28.0', false, 'KimiK3ForConditionalGeneration')).toMatchObject({intermediate: 128, hidden: 128})
    expect(vllmExpertTile(card('h100-sxm'), '0.10.2', false)).toMatchObject({intermediate: 128, hidden: 256})
    expect(sglangExpertTile(card('b200-sxm'), false, '0.5.15')).toMatchObject({intermediate: 256, hidden: 256})
    expect(sglangExpertTile(card('h100-sxm'), false, '0.5.15').inputsOnly).toBe(true)
    expect(sglangExpertTile(card('rtx-5090'), false, '0.5.15')).toMatchObject({intermediate: 128, hidden: 256})
    expect(sglangExpertTile(card('h200-sxm'), true, '0.5.15')).toMatchObject({intermediate: 128, hidden: 256, scaleBytes: 4})
    expect(sglangExpertTile(card('h200-sxm'), true, '0.5.16').scaleBytes).toBeUndefined()
  })
})
