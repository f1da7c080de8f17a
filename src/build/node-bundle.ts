import type {BuildOptions} from 'esbuild'

/** What every bundle that Node runs has in common. */
export const NODE_BUNDLE = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
} as const satisfies BuildOptions
