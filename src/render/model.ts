import type {ModelDetails} from '../planner/models/index.ts'
import {count, gib, parameters, tokens} from './numbers.ts'
import {qualityLegend, shortQuality} from './quality.ts'
import {harmless, padEnd, wrap} from './style.ts'
import {type Look, tablesOf} from './look.ts'
import {table} from './tables.ts'

/** `models show` for people. */
export function renderModel(model: ModelDetails, warnings: readonly string[], look: Look): string {
  const {columns} = look
  const row = (label: string, text: string) => `  ${padEnd(label, 14)}${wrap(text, columns - 16, 16)}`
  const active = model.activeParams < model.totalParams * 0.7 ? `, ${parameters(model.activeParams)} active for each token` : ''
  const lines = [
    wrap(`${harmless(model.name)}${model.hfId ? `  ${harmless(model.hfId)}` : ''}`, columns),
    '',
    row('Parameters', `${parameters(model.totalParams)} (${count(model.totalParams)})${active}`),
  ]
  if (model.draftParams) lines.push(row('Draft layers', parameters(model.draftParams)))
  if (model.encoderParams) lines.push(row('Encoders', parameters(model.encoderParams)))
  if (model.contextTokens !== undefined)
    lines.push(
      row(
        'Context',
        `${count(model.contextTokens)} tokens${model.extendedContextTokens ? `, ${count(model.extendedContextTokens)} with the scaling that its publisher documents` : ''}`,
      ),
    )
  if (model.licence) lines.push(row('Licence', model.licence))
  if (model.released) lines.push(row('Released', model.released))
  for (const [index, layer] of model.layers.entries())
    lines.push(row(index === 0 ? 'Layers' : '', `${layer.count} x ${layer.attention}; feed-forward ${layer.feedForward}`))
  if (model.layers.length > 0)
    lines.push(row('KV cache', `${count(model.kvBytesPerToken.bf16)} bytes for each token in BF16, ${count(model.kvBytesPerToken.fp8)} in FP8`))
  for (const {tokens: length, bf16} of model.sequenceBytes) lines.push(row('', `${gib(bf16)} GiB for ${tokens(length)} tokens in BF16`))
  if (model.stateBytesPerSequence) lines.push(row('State', `${(model.stateBytesPerSequence / 2 ** 20).toFixed(1)} MiB for each request`))
  for (const warning of warnings) lines.push(row('Note', harmless(warning)))
  if (model.checkpoints.length > 0)
    lines.push(
      '',
      ...table(
        model.checkpoints,
        [
          {title: 'Checkpoint', value: ({hfId}) => harmless(hfId)},
          {title: 'Weights', value: ({weights}) => weights},
          ...(model.checkpoints.some(({bytes}) => bytes !== undefined)
            ? [{title: 'GiB', value: ({bytes}: ModelDetails['checkpoints'][number]) => (bytes === undefined ? '' : gib(bytes)), right: true, expendable: 1}]
            : []),
          ...(model.checkpoints.some(({contextTokens}) => contextTokens !== undefined)
            ? [
                {
                  title: 'Context',
                  value: ({contextTokens = model.contextTokens}: ModelDetails['checkpoints'][number]) =>
                    contextTokens === undefined ? '' : count(contextTokens),
                  right: true,
                },
              ]
            : []),
          ...(model.checkpoints.some(({quality}) => quality)
            ? [{title: 'Quality', value: ({quality}: ModelDetails['checkpoints'][number]) => (quality ? shortQuality(quality) : '')}]
            : []),
        ],
        tablesOf(look) - 2,
      )
        .trimEnd()
        .replaceAll(/^/gm, '  ')
        .split('\n'),
    )
  const legend = qualityLegend(model.checkpoints.flatMap(({quality}) => quality ?? []))
  if (legend) lines.push('', `  ${wrap(legend, columns - 4, 2)}`)
  return `${lines.join('\n')}\n`
}
