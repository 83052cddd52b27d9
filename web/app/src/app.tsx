/** The pages and their addresses. What most people open is in the first load; the rest comes when it is asked for. */

import { useEffect } from 'preact/hooks'
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from 'preact-iso'
import { readSession, session, sessionProblem, user } from './data/session.ts'
import { AlarmsPage } from './pages/alarms.tsx'
import { HorsePage } from './pages/horse/horse.tsx'
import { InvitationPage } from './pages/invitation.tsx'
import { LoginPage } from './pages/login.tsx'
import { NotFound } from './pages/not-found.tsx'
import { SetupPage } from './pages/setup.tsx'
import { StablePage } from './pages/stable.tsx'
import { Shell } from './shell/shell.tsx'
import { Splash } from './shell/splash.tsx'
import { Failure } from './ui/surfaces.tsx'
import { Toasts } from './ui/toast.tsx'

const Sharing = lazy(() => import('./pages/sharing.tsx').then(({ SharingPage }) => SharingPage))
const Account = lazy(() => import('./pages/account.tsx').then(({ AccountPage }) => AccountPage))
const Notify = lazy(() => import('./pages/notify.tsx').then(({ NotifyPage }) => NotifyPage))
const Fleet = lazy(() => import('./admin/fleet.tsx').then(({ FleetPage }) => FleetPage))
const Register = lazy(() => import('./admin/register.tsx').then(({ RegisterPage }) => RegisterPage))
const Device = lazy(() => import('./admin/device.tsx').then(({ DevicePage }) => DevicePage))
const People = lazy(() => import('./admin/people.tsx').then(({ PeoplePage }) => PeoplePage))
const Stables = lazy(() => import('./admin/stables.tsx').then(({ StablesPage }) => StablesPage))
const Hops = lazy(() => import('./admin/hops.tsx').then(({ HopsPage }) => HopsPage))

export function App() {
  return (
    <LocationProvider>
      <ErrorBoundary>
        <Pages />
      </ErrorBoundary>
      <Toasts />
    </LocationProvider>
  )
}

function Pages() {
  const { path, route } = useLocation()
  useEffect(() => {
    // A push message was pressed while the app was open.
    const onMessage = ({ data }: MessageEvent) => {
      const to = (data as { open?: string } | null)?.open
      if (to !== undefined) route(to)
    }
    navigator.serviceWorker?.addEventListener('message', onMessage)
    return () => navigator.serviceWorker?.removeEventListener('message', onMessage)
  }, [route])

  if (path === '/setup') return <SetupPage />
  if (path === '/invitation') return <InvitationPage />
  if (session.value === undefined) {
    const problem = sessionProblem.value
    return <Splash>{problem && <Failure problem={problem} onRetry={() => void readSession()} />}</Splash>
  }
  if (user.value === null) return <LoginPage />
  return (
    <Shell>
      <Router onRouteChange={arrive}>
        <Route path="/" component={StablePage} />
        <Route path="/stables/:stable" component={StablePage} />
        <Route path="/stables/:stable/alarms" component={AlarmsPage} />
        <Route path="/alarms" component={AlarmsPage} />
        <Route path="/stables/:stable/sharing" component={Sharing} />
        <Route path="/horses/:horse/:section?" component={HorsePage} />
        <Route path="/account" component={Account} />
        <Route path="/account/notifications" component={Notify} />
        <Route path="/admin/devices" component={Fleet} />
        <Route path="/admin/devices/new" component={Register} />
        <Route path="/admin/devices/:thing" component={Device} />
        <Route path="/admin/people" component={People} />
        <Route path="/admin/stables" component={Stables} />
        <Route path="/admin/system" component={Hops} />
        <Route default component={NotFound} />
      </Router>
    </Shell>
  )
}

let lastPage: string | undefined

/** Another page begins at its top, and is read from there; another section of the same page leaves the focus alone. */
function arrive(url: string): void {
  const page = new URL(url, location.origin).pathname.split('/').slice(0, 3).join('/')
  if (lastPage !== undefined && lastPage !== page) {
    window.scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  }
  lastPage = page
}
