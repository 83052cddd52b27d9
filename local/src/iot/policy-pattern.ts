/** What is known of a connection, by name without `${}`: one value, or several (`iot:ConnectAttributes`). */
export type Variables = ReadonlyMap<string, readonly string[]>

/**
 * A pattern with `*`, `?` and `${variable}` as a regular expression. What a variable brings is literal, so that a
 * client that calls itself `*` gains nothing.
 * Source: Developer Guide, "AWS IoT Core policy variables"; `${*}`, `${?}` and `${$}` are the characters themselves.
 * @returns undefined when a variable has no value, or several: then nothing matches
 */
export function pattern(text: string, variables: Variables, flags = ''): RegExp | undefined {
  let source = ''
  let from = 0
  for (const found of text.matchAll(/\$\{([^}]*)\}|[*?]/g)) {
    source += literal(text.slice(from, found.index))
    from = found.index + found[0].length
    const variable = found[1]
    if (variable === undefined) {
      source += found[0] === '*' ? '.*' : '.'
    } else if (variable === '*' || variable === '?' || variable === '$') {
      source += literal(variable)
    } else {
      const values = variables.get(variable)
      if (values?.length !== 1) return undefined
      source += literal(values[0]!)
    }
  }
  return new RegExp(`^${source}${literal(text.slice(from))}$`, `s${flags}`)
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
