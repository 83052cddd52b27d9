import { invalid } from './aws-error.ts'

/** One page of a list; `next` is present when there is more. */
export type Page<T> = { readonly items: T[]; readonly next?: string }

/** What a caller asked for: how many, and from where on. */
export type PageRequest = { readonly limit: number; readonly after: string }

/**
 * Reads the page parameters of a list call.
 * @param size the query parameter for the length of a page, undefined when it was not given
 */
export function pageRequest(
  size: string | null,
  token: string | null,
  { standard, max }: { readonly standard: number; readonly max: number },
): PageRequest {
  const limit = size === null ? standard : Number(size)
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw invalid(`Value '${size}' failed to satisfy constraint: page size must be 1 to ${max}`)
  }
  return { limit, after: token === null ? '' : Buffer.from(token, 'base64url').toString() }
}

/**
 * Cuts a page from rows that were read in the order of their key, one more than the page has.
 * @param keyOf what the next page starts after
 */
export function cutPage<T>(rows: T[], { limit }: PageRequest, keyOf: (row: T) => string): Page<T> {
  if (rows.length <= limit) return { items: rows }
  const items = rows.slice(0, limit)
  return { items, next: Buffer.from(keyOf(items[limit - 1]!)).toString('base64url') }
}
