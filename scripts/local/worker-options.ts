import path from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import {
  unstable_getMiniflareWorkerOptions as getWorkerOptions,
  unstable_readConfig as readConfig,
} from 'wrangler'
import { bundleWorker } from './bundle.ts'
import { ROOT } from './root.ts'

const WITHOUT_FILES = { overrides: {}, envFiles: [path.join(ROOT, 'node_modules', '.no-variables')] }

/** The Worker as wrangler.toml describes it, bundled, with its variables; queue and binding names live there only. */
export async function workerOptions(
  outDir: string,
  bindings: Record<string, string>,
): Promise<V4WorkerOptions> {
  const config = wranglerConfig()
  const { workerOptions: options, main } = miniflareOptions(config)
  if (!main) throw new Error('wrangler.toml names no main')
  const bundle = await bundleWorker(main, outDir)
  return {
    ...options,
    name: config.name ?? 'posthorn',
    rootPath: ROOT,
    modulesRoot: outDir,
    modules: [{ type: 'ESModule', path: bundle }],
    bindings: { ...(options.bindings as V4WorkerOptions['bindings']), ...bindings },
  }
}

/** The databases alone, as they are bound in wrangler.toml. */
export function databases(): Required<Pick<V4WorkerOptions, 'd1Databases'>> {
  const { d1Databases } = miniflareOptions(wranglerConfig()).workerOptions
  return { d1Databases: (d1Databases ?? {}) as Record<string, string> }
}

/** Every variable is given by the caller: without a file to read, wrangler neither takes one from `.dev.vars` nor says so. */
function miniflareOptions(config: ReturnType<typeof wranglerConfig>) {
  return getWorkerOptions(config, undefined, WITHOUT_FILES)
}

function wranglerConfig() {
  const config = readConfig({ config: path.join(ROOT, 'wrangler.toml') }, { hideWarnings: true })
  // Secrets come from `bindings`; asked for here, wrangler would look for them in the shell and warn.
  delete config.secrets
  return config
}
