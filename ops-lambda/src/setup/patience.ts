/** How long a role may take until it may what it was given, and how long to wait between two tries, milliseconds. */
const PATIENCE_MS = 40_000
const PAUSE_MS = 2_000

export type Patience = { readonly now: () => number; readonly sleep: (ms: number) => Promise<unknown> }

/**
 * Does something again while AWS denies it: a role that was made a moment ago is not known everywhere yet (IAM User Guide,
 * "Changes that I make are not always immediately visible"). Rejects with the denial after 40 s, with anything else at once.
 */
export async function whileDenied<T>(work: () => Promise<T>, { now, sleep }: Patience): Promise<T> {
  const until = now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isDenied(error) || now() >= until) throw error
      await sleep(PAUSE_MS)
    }
  }
}

/** Services call it differently; all of them say 403. */
function isDenied(error: unknown): boolean {
  return (
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403 ||
    nameOf(error) === 'AccessDeniedException'
  )
}

function nameOf(error: unknown): string | undefined {
  return (error as { name?: string }).name
}
