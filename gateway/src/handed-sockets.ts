/** The first file descriptor that systemd passes on (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST = 3

/**
 * Sockets that were opened before this process began, and stay open when it ends: systemd keeps them, so datagrams that come
 * while the gateway restarts wait in them (systemd.socket(5)). One for each worker, all of the same port with SO_REUSEPORT, as
 * `ListenDatagram=` lines and `ReusePort=yes` make them: the kernel then keeps a peer with one worker.
 *
 * @param env of the process: LISTEN_PID, which must be `pid`, and LISTEN_FDS
 * @returns file descriptors; none when nobody hands any over. Throws when there are not as many as workers.
 */
export function handedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
  workers: number,
): readonly number[] {
  const count = Number(env['LISTEN_FDS'])
  // Meant for another process, a parent of this one.
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1) return []
  if (count !== workers)
    throw new Error(
      `Cannot use the sockets handed over by systemd: ${count} given for ${workers} workers (PESEBRE_WORKERS); ` +
        'allowed: one ListenDatagram line for each worker',
    )
  return Array.from({ length: count }, (_, index) => FIRST + index)
}
