import { useState } from 'preact/hooks'
import { Problem } from '../data/client.ts'

/** Something that a press starts: whether it runs, and what went wrong the last time. */
export function useAction(): {
  isBusy: boolean
  problem: Problem | undefined
  /** Runs it unless it runs already; resolves to whether it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>
  clear: () => void
} {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  return {
    isBusy,
    problem,
    clear: () => setProblem(undefined),
    async run(work) {
      if (isBusy) return false
      setBusy(true)
      setProblem(undefined)
      try {
        await work()
        return true
      } catch (error) {
        setProblem(error instanceof Problem ? error : new Problem(0, 'unknown', { detail: String(error) }))
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}
