/** The frame of every page: navigation at the side where there is room, at the bottom of a phone. */
import type { Alarms } from '@pesebre/contract/api/alarm'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { useData } from '../data/cache.ts'
import { isLive } from '../data/live.ts'
import { chooseStable, currentStable, isAdmin, session, user } from '../data/session.ts'
import { isNewer } from '../sw/start.ts'
import { Button, Select } from '../ui/controls.tsx'
import { Icon, type IconName, Mark } from '../ui/icon.tsx'
import { words } from '../words/language.ts'

export function Shell({ children }: { children: ComponentChildren }) {
  const w = words.value
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {w.app.skip}
      </a>
      <Navigation />
      <div class="page">
        <Banners />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  )
}

type Item = {
  href: string
  icon: IconName
  label: string
  matches: RegExp
  badge?: number
  isPhoneOnly?: boolean
}

function Navigation() {
  const w = words.value
  const { path, route } = useLocation()
  const stable = currentStable.value
  const stables = session.value?.stables ?? []
  const alarms = useOpenAlarms(stable?.id)
  const items: Item[] = [
    {
      href: stable ? `/stables/${stable.id}` : '/',
      icon: 'stable',
      label: w.nav.stable,
      matches: /^\/($|stables\/[^/]+$|horses)/,
    },
    {
      href: stable ? `/stables/${stable.id}/alarms` : '/alarms',
      icon: 'bell',
      label: w.nav.alarms,
      matches: /alarms$/,
      badge: alarms,
    },
    ...(stable
      ? [
          {
            href: `/stables/${stable.id}/sharing`,
            icon: 'share',
            label: w.nav.sharing,
            matches: /sharing$/,
          } as const,
        ]
      : []),
    { href: '/account', icon: 'person', label: w.nav.account, matches: /^\/account/ },
  ]
  // A phone has no room for all: the pages themselves lead on to each other there.
  const hub: Item = {
    href: '/admin/devices',
    icon: 'device',
    label: w.nav.adminShort,
    matches: /^\/admin/,
    isPhoneOnly: true,
  }
  const admin: Item[] = [
    { href: '/admin/devices', icon: 'device', label: w.nav.fleet, matches: /^\/admin\/devices/ },
    { href: '/admin/people', icon: 'people', label: w.nav.people, matches: /^\/admin\/people/ },
    { href: '/admin/stables', icon: 'building', label: w.nav.stables, matches: /^\/admin\/stables/ },
    { href: '/admin/system', icon: 'hops', label: w.nav.hops, matches: /^\/admin\/system/ },
  ]
  return (
    <nav class="nav" aria-label={w.app.menu}>
      <a class="brand" href="/">
        <Mark size={34} />
        <span class="wordmark">Pesebre</span>
      </a>
      {stables.length > 1 && (
        <div class="nav-stables">
          <Select
            label={w.stable.switch}
            isHidden
            value={stable?.id ?? ''}
            options={stables.map(({ id, name }) => ({ value: id, label: name }))}
            onPick={(id) => {
              chooseStable(id)
              route(`/stables/${id}`)
            }}
          />
        </div>
      )}
      <ul class="nav-items">
        {items.map((item) => (
          <NavItem key={item.icon} item={item} path={path} />
        ))}
        {isAdmin.value && <NavItem item={hub} path={path} />}
      </ul>
      {isAdmin.value && (
        <div class="nav-admin">
          <p class="nav-title" id="nav-admin">
            {w.nav.adminGroup}
          </p>
          <ul class="nav-items" aria-labelledby="nav-admin">
            {admin.map((item) => (
              <NavItem key={item.icon} item={item} path={path} />
            ))}
          </ul>
        </div>
      )}
      <p class="nav-user">{user.value?.name}</p>
    </nav>
  )
}

function NavItem({ item, path }: { item: Item; path: string }) {
  const { href, icon, label, matches, badge = 0, isPhoneOnly = false } = item
  return (
    <li class={isPhoneOnly ? 'only-phone' : undefined}>
      <a href={href} class="nav-item" aria-current={matches.test(path) ? 'page' : undefined}>
        <span class="nav-icon">
          <Icon name={icon} size={22} />
          {badge > 0 && (
            <span class="badge">
              {badge}
              <span class="visually-hidden"> {words.value.nav.alarmsOpen(badge)}</span>
            </span>
          )}
        </span>
        <span class="nav-label">{label}</span>
      </a>
    </li>
  )
}

/** How many alarms nobody has seen to. */
function useOpenAlarms(stable: string | undefined): number {
  const { data } = useData<Alarms>(stable === undefined ? undefined : `/stables/${stable}/alarms`)
  return data?.alarms.filter(({ acknowledged }) => acknowledged === undefined).length ?? 0
}

/** Not before this: a moment without a connection is nobody's concern. */
const SAY_AFTER_MS = 4_000

function Banners() {
  const w = words.value
  const [isOffline, setOffline] = useState(!navigator.onLine)
  const [isLate, setLate] = useState(false)
  const live = isLive.value
  useEffect(() => {
    const update = () => setOffline(!navigator.onLine)
    window.addEventListener('online', update)
    window.addEventListener('offline', update)
    return () => {
      window.removeEventListener('online', update)
      window.removeEventListener('offline', update)
    }
  }, [])
  useEffect(() => {
    setLate(false)
    if (live) return
    const timer = setTimeout(() => setLate(true), SAY_AFTER_MS)
    return () => clearTimeout(timer)
  }, [live])
  return (
    <div class="banners" role="status">
      {isOffline ? (
        <p class="banner warn">{w.app.offline}</p>
      ) : (
        isLate && !live && <p class="banner warn">{w.app.notLive}</p>
      )}
      {isNewer.value && (
        <p class="banner accent">
          {w.app.newVersion}
          <Button look="quiet" onClick={() => location.reload()}>
            {w.app.reload}
          </Button>
        </p>
      )}
    </div>
  )
}
