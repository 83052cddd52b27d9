import { readdirSync } from 'node:fs'
import t from 'tap'
import { openWorkspace, skipWithoutTerraform, terraformFolders } from './terraform.ts'

t.setTimeout(300_000)

const EXAMPLES = new URL('../../terraform/examples/', import.meta.url).pathname
/** Runs of Terraform at a time: each starts a provider of its own. */
const AT_ONCE = 2

const skip = skipWithoutTerraform()

t.test('terraform fmt, validate and test', { skip, timeout: 300_000 }, async (t) => {
  const workspace = openWorkspace()
  t.teardown(workspace.close)
  const format = await workspace.run('.', 'fmt', '-check', '-recursive', '-no-color')
  t.ok(format.ok, 'terraform fmt -check', { files: format.text })

  const left = terraformFolders()
  async function work(): Promise<void> {
    for (let folder = left.shift(); folder !== undefined; folder = left.shift()) {
      // `terraform test` validates modules, too; what a person applies is asked in so many words.
      if (folder.startsWith('stacks/')) {
        const valid = await workspace.run(folder, 'validate', '-no-color')
        t.ok(valid.ok, `${folder} is valid`, { said: valid.text })
      }
      // permissions.test.ts runs these, and looks at what comes of them.
      if (folder === 'stacks/pesebre' || folder === 'stacks/second-region') continue
      const tested = await workspace.run(folder, 'test', '-no-color')
      t.ok(
        tested.ok && /Success! [1-9]\d* passed, 0 failed/.test(tested.text),
        `${folder}: ${lastLine(tested.text)}`,
        {
          said: tested.text,
        },
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const example of readdirSync(EXAMPLES, { withFileTypes: true })) {
    if (!example.isDirectory()) continue
    const values = `-var-file=${EXAMPLES}${example.name}/pesebre.tfvars`
    const tested = await workspace.run(
      'stacks/pesebre',
      'test',
      '-no-color',
      '-test-directory=examples',
      values,
    )
    t.ok(tested.ok && tested.text.includes('Success!'), `example ${example.name}: ${lastLine(tested.text)}`, {
      said: tested.text,
    })
  }
})

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
