/** Which feeders a command is about: those that are named, or all. */
import { deviceArg } from './device-args.ts'
import type { Target } from './target.ts'

/** Bounds of options. */
export const FEEDERS_OPTIONS = { percent: { min: 1, max: 100 } } as const

/** Shadows that are read or written at once. */
const AT_ONCE = 8

/** The feeders that are named; without names all that are registered. @throws Misuse, Failure */
export async function feedersOf(target: Target, names: readonly string[]): Promise<string[]> {
  if (names.length > 0) return names.map((name) => deviceArg(name, 'feeder'))
  const [{ listThings }, { openControls }] = await Promise.all([
    import('./registry.ts'),
    import('./control.ts'),
  ])
  const { find } = openControls(target)
  const registered: string[] = []
  // A thing may have been left behind by a feeder that was never let in.
  await forEach(await listThings(target, 'feeder'), async (thing) => {
    if ((await find(thing)) !== undefined) registered.push(thing)
  })
  return registered.sort()
}

/** Does something for each, a few at once. Rejects with the first that fails. */
export async function forEach(
  things: readonly string[],
  act: (thing: string) => Promise<unknown>,
): Promise<void> {
  const left = [...things]
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let thing = left.shift(); thing !== undefined; thing = left.shift()) await act(thing)
  })
  await Promise.all(workers)
}
