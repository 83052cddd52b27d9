/** Starts the app. */
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/surfaces.css'
import './styles/shell.css'
import './styles/people.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { startClock } from './data/clock.ts'
import { readSession } from './data/session.ts'
import { show } from './data/theme.ts'
import { startWorker } from './sw/start.ts'
import { language } from './words/language.ts'

show()
document.documentElement.lang = language.value
startClock()
readSession().catch(() => undefined)
render(<App />, document.getElementById('app') as HTMLElement)
startWorker()
