import { language, speak } from '../words/language.ts'

/** For pages on which nobody is signed in yet; each language names itself. */
export function LanguageSwitch() {
  const other = language.value === 'es' ? 'en' : 'es'
  return (
    <p class="language-switch">
      <button type="button" class="link" lang={other} onClick={() => speak(other)}>
        {other === 'es' ? 'Español' : 'English'}
      </button>
    </p>
  )
}
