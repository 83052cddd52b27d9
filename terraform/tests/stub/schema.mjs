/**
 * Makes a provider schema out of the published bindings of the AWS provider (@cdktf/provider-aws 21.22.1, provider 6.25.0): the
 * names, types and nesting of every argument, for the resource types that terraform/ uses. What only the provider itself knows
 * (enumerations, ARN shapes, conflicts) is not in there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LIBRARY = join(import.meta.dirname, 'node_modules/@cdktf/provider-aws/lib')

const STORAGE_TYPES = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  any: 'dynamic',
  stringList: ['list', 'string'],
  numberList: ['list', 'number'],
  booleanList: ['list', 'bool'],
  stringMap: ['map', 'string'],
  numberMap: ['map', 'number'],
  booleanMap: ['map', 'bool'],
  anyMap: ['map', 'dynamic'],
}
const GETTER_TYPES = {
  String: 'string',
  Number: 'number',
  Boolean: 'bool',
  List: ['list', 'string'],
  StringMap: ['map', 'string'],
  NumberMap: ['map', 'number'],
  BooleanMap: ['map', 'bool'],
  NumberList: ['list', 'number'],
  AnyMap: ['map', 'dynamic'],
}

/**
 * @param {readonly string[]} types `aws_sqs_queue` for a resource, `data.aws_eip` for a data source
 * @returns the schema of the provider, and of each type; throws for a type that the provider does not have
 */
export function makeSchema(types) {
  const schema = { provider: readType('provider'), resources: {}, data: {} }
  for (const type of types) {
    const isData = type.startsWith('data.')
    const name = type.replace(/^data\./, '').replace(/^aws_/, '')
    const directory = (isData ? 'data-aws-' : '') + name.replaceAll('_', '-')
    if (!existsSync(join(LIBRARY, directory))) throw new Error(`The AWS provider has no such type: ${type}`)
    schema[isData ? 'data' : 'resources'][`aws_${name}`] = readType(directory)
  }
  return schema
}

function readType(directory) {
  const path = join(LIBRARY, directory)
  const files = readdirSync(path)
  const read = (ending) =>
    files
      .filter((file) => file.endsWith(ending))
      .map((file) => readFileSync(join(path, file), 'utf8'))
      .join('\n')
  const main = readFileSync(join(path, 'index.js'), 'utf8')
  const code = read('.js')
  const required = readRequired(read('.d.ts'))
  const writers = new Map()
  for (const [, name, body] of code.matchAll(/^function (\w+)ToHclTerraform\(struct\) \{([\s\S]*?)^\}/gm))
    writers.set(name, readAttributes(body))

  function computedOf(className) {
    const body = code.match(new RegExp(`^class ${className} extends [\\s\\S]*?^\\}`, 'm'))?.[0]
    if (body === undefined) return []
    const found = []
    for (const [, kind, name] of body.matchAll(
      /get \w+\(\) \{\s*return this\.get(\w+)Attribute\('([\w-]+)'\);/g,
    ))
      found.push([name, GETTER_TYPES[kind] ?? 'dynamic'])
    for (const [, name] of body.matchAll(
      /get \w+\(\) \{\s*return cdktf\.Fn\.tolist\(this\.getListAttribute\('([\w-]+)'\)\)/g,
    ))
      found.push([name, ['set', 'string']])
    for (const [, kind, name] of body.matchAll(
      /= new (?:cdktf\.)?(\w+)\(this, "([\w-]+)"(?:, (?:true|false))?\)/g,
    ))
      found.push([name, kind === 'StringMap' ? ['map', 'string'] : ['list', objectType(kind)]])
    return found
  }

  function objectType(className) {
    const reference = `${className.replace(/(List|Map|Set)$/, '')}OutputReference`
    return ['object', Object.fromEntries(computedOf(reference))]
  }

  function block(attributes, interfaceName, className) {
    const needs = required.get(interfaceName) ?? new Map()
    const made = { attributes: {}, blocks: {} }
    for (const { name, value, isBlock, kind, storage } of attributes) {
      const isRequired = needs.get(name) ?? false
      const writer = value.match(/(\w+)ToHclTerraform/)?.[1]
      if (isBlock && writer !== undefined && writers.has(writer)) {
        const nested = writer[0].toUpperCase() + writer.slice(1)
        const isSingle = kind === 'struct'
        const isMany = isSingle || /listMapperHcl\(/.test(value)
        made.blocks[name] = {
          nesting: isSingle ? 'SINGLE' : kind === 'set' ? 'SET' : 'LIST',
          block: block(writers.get(writer), nested, `${nested}OutputReference`),
          minItems: isRequired && !isSingle ? 1 : 0,
          maxItems: isMany ? 0 : 1,
        }
        continue
      }
      const type = STORAGE_TYPES[storage] ?? 'dynamic'
      made.attributes[name] = {
        type: kind === 'set' && Array.isArray(type) ? ['set', type[1]] : type,
        required: isRequired,
        optional: !isRequired,
        computed: !isRequired,
      }
    }
    for (const [name, type] of computedOf(className))
      if (!made.attributes[name] && !made.blocks[name]) made.attributes[name] = { type, computed: true }
    return made
  }

  const [, className] = main.match(/^class (\w+) extends cdktf\.Terraform(?:Resource|DataSource|Provider)/m)
  const body = main.match(new RegExp(`^class ${className} [\\s\\S]*?^\\}`, 'm'))[0]
  return block(
    readAttributes(body.slice(body.indexOf('synthesizeHclAttributes'))),
    `${className}Config`,
    className,
  )
}

/** Interface name -> attribute name -> whether it must be given. */
function readRequired(declarations) {
  const interfaces = new Map()
  for (const [, name, body] of declarations.matchAll(/export interface (\w+)[^{]*\{\n([\s\S]*?)\n\}/g)) {
    const members = new Map()
    for (const [, attribute, optional] of body.matchAll(
      /#([\w-]+) \w+#\1\}[\s\S]*?\*\/\n\s*readonly \w+(\??): [^;]+;/g,
    ))
      members.set(attribute, optional !== '?')
    interfaces.set(name, members)
  }
  return interfaces
}

const ATTRIBUTE =
  /^\s{8,12}("?[\w-]+"?): \{\s*\n\s*value: (.*),\n\s*isBlock: (true|false),\n\s*type: "(\w+)",\n\s*storageClassType: "(\w+)",\n/gm

function readAttributes(body) {
  return [...body.matchAll(ATTRIBUTE)].map(([, name, value, isBlock, kind, storage]) => ({
    name: name.replaceAll('"', ''),
    value,
    isBlock: isBlock === 'true',
    kind,
    storage,
  }))
}
