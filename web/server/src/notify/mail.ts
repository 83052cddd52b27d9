import nodemailer from 'nodemailer'

export type Mail = { readonly to: string; readonly subject: string; readonly text: string }
/** Sends one mail. Rejects when the server does not take it. */
export type SendMail = (mail: Mail) => Promise<void>

const TIMEOUT_MS = 15_000

/**
 * Opens the way to a mail server.
 * @param url `smtp(s)://user:password@host:port?from=address`; without `from`, the user is the sender
 */
export function openMail(url: string): { send: SendMail; close(): void } {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url)
  const isSecure = protocol === 'smtps:'
  const from = searchParams.get('from') ?? decodeURIComponent(username)
  const transport = nodemailer.createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 465 : 587) : Number(port),
    secure: isSecure,
    ...(username !== '' && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    }),
    pool: true,
    maxConnections: 2,
    connectionTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  })
  return {
    async send({ to, subject, text }) {
      try {
        // An object as address: what a person is called cannot add another recipient.
        await transport.sendMail({
          from: { name: 'Pesebre', address: from },
          to: { name: '', address: to },
          subject,
          text,
        })
      } catch (cause) {
        throw new Error(`Cannot send mail: ${(cause as Error).message}`, { cause })
      }
    },
    close: () => transport.close(),
  }
}
