import type { Words } from './en.ts'

/** What somebody did, after their name. An action that this version does not know is told by its code. */
export function sayAction({ audit }: Words, action: string): string {
  return Object.hasOwn(audit, action) ? audit[action as keyof typeof audit] : action
}
