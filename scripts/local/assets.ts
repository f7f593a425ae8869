import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type Request, Response } from 'miniflare'
import { ROOT } from './root.ts'

/** Where the dashboard is built to; wrangler.toml names the same folder. */
export const DASHBOARD_DIST = path.join(ROOT, 'apps/dashboard/dist')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Stands for the platform's assets: files of the dashboard as they are at this moment, and 404 for all else. */
export async function serveAssets({ method, url }: Request): Promise<Response> {
  const { pathname } = new URL(url)
  const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname
  const type = TYPES[path.extname(name)]
  const content = type === undefined ? null : await readAsset(name)
  if (type === undefined || content === null) return new Response(null, { status: 404 })
  return new Response(method === 'HEAD' ? null : content, { headers: { 'Content-Type': type } })
}

/** Null where there is no such file: a path's dots have been resolved by then, and it is not decoded. */
async function readAsset(name: string): Promise<Buffer | null> {
  const file = path.join(DASHBOARD_DIST, name)
  if (!file.startsWith(DASHBOARD_DIST + path.sep)) return null
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return null
    throw error
  })
}
