import { useLocation } from 'preact-iso'
import { Icon, type IconName } from '../ui/icon.tsx'
import { words } from '../words/language.ts'

/** From one page of the administration to the next, where there is no room for that at the side. */
export function AdminTabs() {
  const w = words.value
  const { path } = useLocation()
  const tabs: readonly { href: string; icon: IconName; label: string }[] = [
    { href: '/admin/devices', icon: 'device', label: w.nav.fleet },
    { href: '/admin/people', icon: 'people', label: w.nav.people },
    { href: '/admin/stables', icon: 'building', label: w.nav.stables },
    { href: '/admin/system', icon: 'hops', label: w.nav.hops },
  ]
  return (
    <nav class="sections only-phone" aria-label={w.nav.adminGroup}>
      <ul>
        {tabs.map(({ href, icon, label }) => (
          <li key={href}>
            <a href={href} aria-current={path.startsWith(href) ? 'page' : undefined}>
              <Icon name={icon} size={18} />
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}
