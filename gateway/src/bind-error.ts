/** Says why an address could not be bound, so that an operator knows what to do. */
export function explainBind(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'already in use by another process'
  if (code === 'EACCES') return 'not permitted for this user'
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address'
  return code ?? error.message
}
