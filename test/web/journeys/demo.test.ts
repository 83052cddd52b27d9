import t from 'tap'
import { DEMO_PASSWORD, demoEmail } from '../../../local/src/demo/seed.ts'
import { holdToFeed, openStage, skip, WAYS } from './stage.ts'

const timeout = 180_000
t.setTimeout(2 * timeout)

for (const way of WAYS)
  t.test(`the demo: a feeder that feeds and a camera, ${way.title}`, { timeout, skip }, async (t) => {
    const stage = await openStage(t, { demo: true })
    const { words } = way
    // Their languages: the owner's is Spanish, the groom's English.
    const role = way.language === 'es' ? 'owner' : 'groom'
    const page = await stage.signIn(way, { email: demoEmail(role), password: DEMO_PASSWORD })
    await page.getByRole('link', { name: /Sol/ }).first().click()
    await page.waitForURL(/\/horses\//)
    const horse = page.url()

    await holdToFeed(page)
    const progress = page.locator('.progress [role=status]')
    await progress
      .getByText(new RegExp(words.doneGrams('').trim()))
      .first()
      .waitFor({ timeout: 60_000 })
    t.pass('a virtual feeder feeds, by its own word')

    await page.goto(`${horse}/camera`)
    await page.getByRole('button', { name: words.camera.watch }).click()
    const age = page.locator('.screen-tag')
    await age.waitFor()
    await page.waitForTimeout(3000)
    const shown = await age.textContent()
    const seconds = /([0-9]+[.,][0-9]+)\s*s/.exec(shown ?? '')?.[1]
    t.ok(seconds, 'the age of the picture stands beside it')
    t.ok(Number(seconds?.replace(',', '.')) < 3, `and is small: ${shown}`)

    const before = stage.stack.pid('camera')!
    process.kill(before, 'SIGSTOP')
    await page.locator('.screen.is-old').waitFor()
    t.pass('a camera that stands still does not pass for live')
    process.kill(before, 'SIGKILL')
    await page.locator('.screen:not(.is-old) canvas').waitFor({ timeout: 60_000 })
    t.not(stage.stack.pid('camera'), before)
    t.pass('it is watched again by itself when the camera is back')
    await page.getByRole('button', { name: words.camera.stop }).click()
    await page.locator('.screen img').waitFor()
    t.pass('stopped: the last picture with its age')
    t.strictSame(stage.faults, [], 'no page has thrown')
  })
