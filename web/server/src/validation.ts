import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { Problem } from './problems.ts'

/** Wrong fields that are named in one answer. */
const ERRORS_MAX = 8

/**
 * Checks what arrives against the schemas that also make the OpenAPI document. Bodies are taken as they are: "5" is no
 * number of grams. Parameters are text by nature and are read as what the schema says.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (given: unknown) => {
    const value = httpPart === 'body' ? given : Value.Convert(schema, Value.Clone(given))
    if (validator.Check(value)) return { value }
    const errors = validator
      .Errors(value)
      .slice(0, ERRORS_MAX)
      .map(({ instancePath, message }) => ({ path: instancePath || '/', message }))
    return { error: new Problem('invalid', { detail: `Wrong ${httpPart ?? 'request'}`, errors }) }
  }
}
