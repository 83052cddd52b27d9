/** The stack cannot start or cannot go on; `problems` has one line for each reason, which also says what to do. */
export class StackError extends Error {
  override name = 'StackError' as const
  readonly problems: readonly string[]

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options)
    this.problems = problems
  }
}
