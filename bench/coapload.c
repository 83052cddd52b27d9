/*
 * coapload.c - single-file, single-thread CoAP/UDP (RFC 7252) load generator.
 *
 *   build:  gcc -O2 -Wall -Wextra -o coapload coapload.c -lm
 *   usage:  coapload [options] [host [port]]          (default 127.0.0.1 5683)
 *
 * Every simulated client is one *connected* non-blocking UDP socket, i.e. one
 * source port.  All I/O is batched with sendmmsg/recvmmsg, readiness is epoll.
 * It talks to 127.0.0.0/8 only and refuses any other address.
 *
 * Modes (-M)
 *   con    closed loop, Confirmable POST, -n requests outstanding in total.
 *          A request completes on the piggybacked ACK (or on a separate
 *          response, which is acknowledged if it is CON).
 *   non    closed loop, Non-confirmable POST, completes on the response that
 *          carries the token.
 *   open   open loop at -R req/s, CON (default) or NON (-N), responses wanted.
 *          Latency is taken from the *scheduled* send time, so a stalled server
 *          is charged for the requests that should have been sent meanwhile
 *          (no coordinated omission).
 *   flood  open loop at -R req/s, NON, nothing waited for (responses, if any,
 *          are drained and counted).  What the server got is read afterwards,
 *          from its "count" resource (-C) and from the kernel's drop counter of
 *          the server socket (/proc/net/udp), which needs no server support.
 *   ramp   endpoint growth: every request from the next source port / token
 *          (use -p 10000), otherwise like con.  Same as "con -n <ports>" but
 *          walks the ports in order with -n in flight.
 *
 * Options
 *   -t SEC     measured duration (default 5)        -w SEC   warm-up (default 1)
 *   -n N       outstanding requests (default 256)   -p P     source ports (64)
 *   -R RATE    open/flood rate per second           -b B     burst per port (8)
 *   -s BYTES   CBOR payload size (default 80, 75 to 280)
 *   -k TKL     token length 4..8 (default 4)        -u PATH  Uri-Path (telemetry)
 *              PATH may hold one number, such as load/d%05u: the thing's
 *   -D N       things: port i speaks for thing i mod N; with more things than
 *              ports each port takes turns (default: one per source port)
 *   -A N       source addresses 127.1.0.1 and on, given out port by port
 *              (default 0: all from 127.0.0.1)
 *   -m post|put                                     -N       NON in open mode
 *   -Q         add No-Response:26 (RFC 7967), i.e. ask for no answer
 *   -d PCT     closed loop: also send PCT % of messages twice (same MID)
 *   -T MS      give up on a request after MS (default 2000)
 *   -r N       closed loop: before giving up, send the same bytes again N times,
 *              each after -T, as a device that retries; "again" counts them
 *   -x N       closed loop: stop after N answers, warm-up included (default 0:
 *              by time alone)
 *   -F N       first value of the payload's "seq" (default 0), so that several
 *              runs against one server stay distinct
 *   -O FILE    write which values of "seq" had a 2.xx answer, as a bitmap: bit
 *              n of the file (least significant first) is seq n
 *   -f FILE    con, non, open, flood: instead of readings, send the datagrams
 *              of FILE, each once and in order: two bytes of length (big endian),
 *              then the datagram, with a token of -k bytes. Message ID and token
 *              are replaced by our own, the rest goes out as it is ("seq" is its
 *              place in the file). The run ends early when all are answered.
 *   -C PATH    after the run GET this resource, print its decimal payload
 *   -S LPORT   first local source port (default: kernel picks)
 *   -P PID     report CPU time and RSS of this server process (repeatable, <=4)
 *   -L LABEL   label copied into the JSON line
 *
 * Output: one JSON line on stdout.  "other_cpu" is CPU time (percent of one
 * core, over all cores) used by processes that are neither the generator nor a
 * -P server during the measured window: the noise indicator.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH      64          /* messages per sendmmsg/recvmmsg            */
#define PKT_MAX    1280
#define SLOT_BITS  20          /* token = gen(12) << 20 | slot(20)          */
#define SLOT_MAX   (1u << SLOT_BITS)
#define GEN_MASK   0xfffu
#define NO_SOCK    0xffffffffu

/* ---------------------------------------------------------------- histogram
 * Log-linear: 64 linear slots per power of two of nanoseconds (half used), a
 * relative error of at most 3.1 %.                                          */
#define H_SUB 64
static uint64_t hist[64 * H_SUB], hist_n, hist_max;
static void hist_add(uint64_t ns)
{
	unsigned e = ns < H_SUB ? 0 : 63 - __builtin_clzll(ns) - 5; /* ns>>e in 32..63 */
	unsigned i = ns < H_SUB ? (unsigned)ns : e * H_SUB + (unsigned)((ns >> e) & (H_SUB - 1));
	hist[i]++; hist_n++;
	if (ns > hist_max) hist_max = ns;
}
static double hist_q(double q)          /* quantile in microseconds */
{
	uint64_t want = (uint64_t)ceil(q * (double)hist_n), c = 0;
	for (unsigned i = 0; i < 64 * H_SUB; i++) {
		c += hist[i];
		if (c >= want && c) {
			unsigned e = i / H_SUB;
			return (double)((uint64_t)(i % H_SUB) << e) / 1000.0;
		}
	}
	return 0;
}

/* -------------------------------------------------------------------- state */
struct sock { int fd; uint16_t mid; uint32_t first, n, turn; }; /* slots first..first+n */
struct slot { uint64_t t0; const uint8_t *made; uint32_t sock, seq, thing; uint16_t gen, mid; uint8_t busy, tries; };

static struct sock *S;
static struct slot *L;
static unsigned P = 64, N = 256, BURST = 8, TKL = 4, PAY = 80, DUP = 0;
static double DUR = 5, WARM = 1, RATE = 10000;
static unsigned TMO_MS = 2000, THINGS = 0, ADDRS = 0, RETRIES = 0;
static uint64_t stop_after, answered_all;
static int con = 1, nonflag = 0, noresp = 0, method = 2 /* POST */;
static const char *path = "telemetry", *mode = "con", *count_path, *label = "", *answers_file, *made_file;
static struct sockaddr_in srv;
static int ep;

/* counters, reset when the warm-up ends */
static struct {
	uint64_t sent, dup_sent, ok, c4, c5, rst, timeout, stale, sep, eagain, refused, rx, again;
} C;

static uint64_t now_ns(void)
{
	struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}
static void die(const char *m) { perror(m); exit(1); }

/* ------------------------------------------------------------ CoAP encoding */
static uint8_t tmpl[PKT_MAX];            /* request template                  */
static unsigned tmpl_len, seq_off;       /* seq_off: 4-byte CBOR uint to patch */
static uint32_t seq;

/* The number in the path: W digits of each thing, ready to copy to thing_off. */
#define THING_MARK 0x7f                  /* never an option header: length 15 is reserved */
static char (*digits)[12];
static unsigned thing_off, thing_w;

/* Bitmap of the values of "seq" that were answered 2.xx (-O). */
#define ANSWERS_MAX (1u << 28)
static uint8_t *answers;
static uint32_t answers_end;
static void note_answer(uint32_t q)
{
	if (!answers || q >= ANSWERS_MAX) return;
	answers[q >> 3] |= (uint8_t)(1u << (q & 7));
	if (q >= answers_end) answers_end = q + 1;
}

/* Append one option; num/last are option numbers (small deltas only here). */
static unsigned put_opt(uint8_t *b, unsigned o, unsigned *last, unsigned num,
			const void *v, unsigned len)
{
	unsigned d = num - *last, dn = d < 13 ? d : d < 269 ? 13 : 14;
	unsigned ln = len < 13 ? len : 13;
	b[o++] = (uint8_t)(dn << 4 | ln);
	if (dn == 13) b[o++] = (uint8_t)(d - 13);
	else if (dn == 14) { b[o++] = (uint8_t)((d - 269) >> 8); b[o++] = (uint8_t)(d - 269); }
	if (ln == 13) b[o++] = (uint8_t)(len - 13);
	memcpy(b + o, v, len);
	*last = num;
	return o + len;
}
static unsigned put_path(uint8_t *b, unsigned o, unsigned *last, const char *p)
{
	while (*p) {
		const char *e = strchr(p, '/');
		unsigned n = e ? (unsigned)(e - p) : (unsigned)strlen(p);
		if (n) o = put_opt(b, o, last, 11, p, n);
		if (!e) break;
		p = e + 1;
	}
	return o;
}
/* A reading of exactly PAY bytes, as a device sends it:
 * {"seq": u32, "hopper_pct": 62, "battery_mv": 3710, "temp_c": 21.5 (float32),
 *  "rssi_dbm": -71, "door": "shut", "pad": "aaa..."}                         */
static unsigned put_cbor(uint8_t *b, unsigned o)
{
	unsigned s = o, rest;
	memcpy(b + o, "\xa7\x63seq\x1a", 6); o += 6; seq_off = o; o += 4;
	memcpy(b + o, "\x6ahopper_pct\x18\x3e", 13); o += 13;
	memcpy(b + o, "\x6a" "battery_mv\x19\x0e\x7e", 14); o += 14;
	memcpy(b + o, "\x66temp_c\xfa\x41\xac\x00\x00", 12); o += 12;
	memcpy(b + o, "\x68rssi_dbm\x38\x46", 11); o += 11;
	memcpy(b + o, "\x64" "door\x64shut", 10); o += 10;
	memcpy(b + o, "\x63pad", 4); o += 4;
	rest = PAY - (o + 1 - s);
	if (rest >= 24) { b[o++] = 0x78; rest--; b[o++] = (uint8_t)rest; }
	else b[o++] = (uint8_t)(0x60 | rest);
	memset(b + o, 'a', rest);
	return o + rest;
}
/* Replace the number in `path`, if there is one, by as many marks as it has digits. */
static const char *mark_path(void)
{
	static char marked[256];
	const char *p = strchr(path, '%');
	char *end;
	if (!p) return path;
	thing_w = (unsigned)strtoul(p + 1, &end, 10);
	if (thing_w < 1 || thing_w > 9 || *end != 'u' || strlen(path) > 200) {
		fprintf(stderr, "a path's number is written %%0Wu, W from 1 to 9: %s\n", path); exit(2);
	}
	memcpy(marked, path, (size_t)(p - path));
	memset(marked + (p - path), THING_MARK, thing_w);
	strcpy(marked + (p - path) + thing_w, end + 1);
	return marked;
}
static void build_template(void)
{
	unsigned o = 4 + TKL, last = 0;
	tmpl[0] = (uint8_t)(0x40 | (con ? 0 : 0x10) | TKL);
	tmpl[1] = (uint8_t)method;
	o = put_path(tmpl, o, &last, mark_path());
	if (thing_w) {
		thing_off = (unsigned)((uint8_t *)memchr(tmpl + 4 + TKL, THING_MARK, o) - tmpl);
		memset(tmpl + thing_off, '0', thing_w);
		digits = calloc(THINGS, sizeof *digits);
		for (unsigned i = 0; i < THINGS; i++) snprintf(digits[i], sizeof *digits, "%0*u", (int)thing_w, i);
	}
	o = put_opt(tmpl, o, &last, 12, "\x3c", 1);       /* Content-Format: 60, CBOR */
	if (noresp) o = put_opt(tmpl, o, &last, 258, "\x1a", 1);
	tmpl[o++] = 0xff;
	tmpl_len = put_cbor(tmpl, o);
}

/* Datagrams made beforehand (-f): from made_next to made_end they have not been sent. */
static const uint8_t *made_next, *made_end;
static void open_made(void)
{
	struct stat st;
	int fd = open(made_file, O_RDONLY);
	if (fd < 0 || fstat(fd, &st)) die(made_file);
	made_next = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (made_next == MAP_FAILED) die(made_file);
	made_end = made_next + st.st_size;
	close(fd);
	for (const uint8_t *p = made_next; p < made_end;) {
		size_t left = (size_t)(made_end - p), len = left < 2 ? 0 : (size_t)(p[0] << 8 | p[1]);
		if (len < 4 + TKL || len > PKT_MAX || len > left - 2 || (p[2] & 15) != TKL) {
			fprintf(stderr, "no datagram with a token of %u bytes: %s, byte %lld\n", TKL, made_file,
				(long long)(st.st_size - (made_end - p)));
			exit(2);
		}
		p += 2 + len;
	}
}

/* ------------------------------------------------------------------ sending */
static uint8_t txb[BATCH][PKT_MAX];
static struct mmsghdr txm[BATCH];
static struct iovec txv[BATCH];

/* Put the request that slot i stands for into batch position k. */
static void write_slot(unsigned k, uint32_t i)
{
	struct slot *l = &L[i];
	uint8_t *b = txb[k];
	if (l->made) {
		txv[k].iov_len = (size_t)(l->made[0] << 8 | l->made[1]);
		memcpy(b, l->made + 2, txv[k].iov_len);
	}
	uint32_t tok = (uint32_t)l->gen << SLOT_BITS | i, q = htonl(l->seq);
	b[2] = (uint8_t)(l->mid >> 8); b[3] = (uint8_t)l->mid;
	memcpy(b + 4, &tok, 4);
	if (l->made) return;
	memcpy(b + seq_off, &q, 4);
	if (thing_w) memcpy(b + thing_off, digits[l->thing], thing_w);
}
/* Put a new request for slot i into batch position k; 0 when all datagrams of -f have been sent. */
static int fill(unsigned k, struct sock *s, uint32_t i, uint64_t t0)
{
	struct slot *l = &L[i];
	l->made = NULL;
	if (made_file) {
		if (made_next == made_end) return 0;
		l->made = made_next;
		made_next += 2 + (size_t)(made_next[0] << 8 | made_next[1]);
	}
	l->gen = (uint16_t)((l->gen + 1) & GEN_MASK);
	l->mid = s->mid++;
	l->busy = 1; l->tries = 0; l->t0 = t0; l->sock = (uint32_t)(s - S);
	l->seq = seq++;
	if (thing_w && !made_file) l->thing = THINGS <= P ? l->sock % THINGS : (l->sock + P * s->turn++) % THINGS;
	write_slot(k, i);
	return 1;
}
static int any_busy(void)
{
	for (uint32_t i = 0; i < N; i++) if (L[i].busy) return 1;
	return 0;
}
static void flush(struct sock *s, unsigned n)
{
	unsigned done = 0, tries = 0;
	while (done < n) {
		int r = sendmmsg(s->fd, txm + done, n - done, 0);
		if (r > 0) { done += (unsigned)r; continue; }
		if (errno == ECONNREFUSED) C.refused++;
		else if (errno == EAGAIN || errno == ENOBUFS) C.eagain++;
		else die("sendmmsg");
		if (++tries > 1000) break;
	}
	C.sent += done;
}

/* ---------------------------------------------------------------- receiving */
static uint8_t rxb[BATCH][PKT_MAX];
static struct mmsghdr rxm[BATCH];
static struct iovec rxv[BATCH];

/* Drain a socket once; completed slots go to `free`, returns how many. */
static unsigned drain(struct sock *s, uint32_t *freed)
{
	unsigned nf = 0;
	int r = recvmmsg(s->fd, rxm, BATCH, MSG_DONTWAIT, NULL);
	if (r < 0) { if (errno == ECONNREFUSED) C.refused++; return 0; }
	uint64_t t = now_ns();
	for (int k = 0; k < r; k++) {
		uint8_t *b = rxb[k];
		unsigned len = rxm[k].msg_len, type = b[0] >> 4 & 3, tkl = b[0] & 15, code = b[1];
		C.rx++;
		if (len < 4 || b[0] >> 6 != 1) continue;
		if (code == 0) {                       /* empty ACK (separate follows) or RST */
			if (type == 3) C.rst++; else C.sep++;
			continue;
		}
		if (type == 0) {                       /* separate CON response: acknowledge */
			uint8_t a[4] = { 0x60, 0, b[2], b[3] };
			if (send(s->fd, a, 4, MSG_DONTWAIT) < 0) C.eagain++;
		}
		if (tkl != TKL || len < 4 + tkl) { C.stale++; continue; }
		uint32_t tok; memcpy(&tok, b + 4, 4);
		uint32_t i = tok & (SLOT_MAX - 1), g = tok >> SLOT_BITS;
		struct slot *l = &L[i];
		if (!l->busy || l->gen != g || l->sock != (uint32_t)(s - S)) { C.stale++; continue; }
		l->busy = 0;
		answered_all++;
		if (code >> 5 == 2) { C.ok++; note_answer(l->seq); } else if (code >> 5 == 4) C.c4++; else C.c5++;
		hist_add(t - l->t0);
		freed[nf++] = i;
	}
	return nf;
}

/* -------------------------------------------------- process / kernel readings */
static int pids[4], npids;
static double tick;
static double pid_cpu(int pid, double *sys)      /* seconds; user returned */
{
	char f[64], buf[1024]; snprintf(f, sizeof f, "/proc/%d/stat", pid);
	int fd = open(f, O_RDONLY); if (fd < 0) return 0;
	ssize_t n = read(fd, buf, sizeof buf - 1); close(fd); if (n <= 0) return 0; buf[n] = 0;
	char *p = strrchr(buf, ')'); unsigned long ut = 0, st = 0;
	if (p) sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st);
	*sys += (double)st / tick;
	return (double)ut / tick;
}
static long pid_status(int pid, const char *key)  /* kB */
{
	char f[64], line[256]; long v = 0; size_t k = strlen(key);
	snprintf(f, sizeof f, "/proc/%d/status", pid);
	FILE *h = fopen(f, "r"); if (!h) return 0;
	while (fgets(line, sizeof line, h)) if (!strncmp(line, key, k)) { v = atol(line + k); break; }
	fclose(h); return v;
}
static double busy_cpu(double *steal)             /* all cores, seconds */
{
	FILE *h = fopen("/proc/stat", "r"); if (!h) return 0;
	double v[8] = {0};
	if (fscanf(h, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", v, v+1, v+2, v+3, v+4, v+5, v+6, v+7) < 8) v[7] = 0;
	fclose(h);
	*steal = v[7] / tick;
	return (v[0] + v[1] + v[2] + v[5] + v[6]) / tick;
}
static uint64_t kernel_drops(void)                /* of all sockets bound to the server port */
{
	uint64_t d = 0; const char *fs[2] = { "/proc/net/udp", "/proc/net/udp6" };
	for (int i = 0; i < 2; i++) {
		char line[512]; FILE *h = fopen(fs[i], "r"); if (!h) continue;
		while (fgets(line, sizeof line, h)) {
			unsigned port; char la[64]; char *last = strrchr(line, ' ');
			if (sscanf(line, " %*d: %63[0-9A-F]:%x", la, &port) == 2 && port == ntohs(srv.sin_port)) {
				while (last > line && (*last == ' ' || *last == '\n')) *last-- = 0;
				char *q = strrchr(line, ' ');
				if (q) d += strtoull(q + 1, NULL, 10);
			}
		}
		fclose(h);
	}
	return d;
}
/* GET `count_path`, return its decimal payload or -1. */
static long long get_count(void)
{
	uint8_t b[PKT_MAX]; unsigned last = 0, o = 6;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (void *)&srv, sizeof srv)) die("connect");
	struct timeval tv = { 3, 0 }; setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	b[0] = 0x42; b[1] = 1; b[2] = 0x77; b[3] = 0x01; b[4] = 0xca; b[5] = 0xfe;
	o = put_path(b, o, &last, count_path);
	for (int a = 0; a < 3; a++) {
		if (send(fd, b, o, 0) < 0) continue;
		ssize_t n = recv(fd, b + 256, 512, 0);
		if (n > 8 && b[256 + 1] >> 5 == 2) {
			uint8_t *p = memchr(b + 256 + 6, 0xff, (size_t)n - 6);
			b[256 + n] = 0; close(fd);
			return p ? atoll((char *)p + 1) : -1;
		}
	}
	close(fd); return -1;
}

/* ----------------------------------------------------------------------- main */
int main(int argc, char **argv)
{
	int o, lport = 0; tick = (double)sysconf(_SC_CLK_TCK);
	while ((o = getopt(argc, argv, "M:t:w:n:p:R:b:s:k:u:m:NQd:T:r:C:S:P:L:D:A:x:F:O:f:")) != -1) switch (o) {
		case 'M': mode = optarg; break;
		case 't': DUR = atof(optarg); break;
		case 'w': WARM = atof(optarg); break;
		case 'n': N = (unsigned)atoi(optarg); break;
		case 'p': P = (unsigned)atoi(optarg); break;
		case 'R': RATE = atof(optarg); break;
		case 'b': BURST = (unsigned)atoi(optarg); if (BURST > BATCH) BURST = BATCH; break;
		case 's': PAY = (unsigned)atoi(optarg); if (PAY < 75) PAY = 75; if (PAY > 280) PAY = 280; break;
		case 'k': TKL = (unsigned)atoi(optarg); if (TKL < 4 || TKL > 8) TKL = 4; break;
		case 'u': path = optarg; break;
		case 'm': method = !strcmp(optarg, "put") ? 3 : 2; break;
		case 'N': nonflag = 1; break;
		case 'Q': noresp = 1; break;
		case 'd': DUP = (unsigned)atoi(optarg); break;
		case 'T': TMO_MS = (unsigned)atoi(optarg); break;
		case 'r': RETRIES = (unsigned)atoi(optarg); break;
		case 'C': count_path = optarg; break;
		case 'S': lport = atoi(optarg); break;
		case 'P': if (npids < 4) pids[npids++] = atoi(optarg); break;
		case 'L': label = optarg; break;
		case 'D': THINGS = (unsigned)atoi(optarg); break;
		case 'A': ADDRS = (unsigned)atoi(optarg); break;
		case 'x': stop_after = strtoull(optarg, NULL, 10); break;
		case 'F': seq = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'O': answers_file = optarg; break;
		case 'f': made_file = optarg; break;
		default: fprintf(stderr, "see the head of coapload.c for options\n"); return 2;
	}
	int closed = !strcmp(mode, "con") || !strcmp(mode, "non") || !strcmp(mode, "ramp");
	int flood = !strcmp(mode, "flood"), ramp = !strcmp(mode, "ramp");
	con = !(nonflag || !strcmp(mode, "non") || flood);
	if (closed && !ramp && N < P) P = N;        /* at least one slot per port */
	if (made_file && (ramp || DUP)) { fprintf(stderr, "-f goes neither with ramp nor with -d\n"); return 2; }
	if (made_file) open_made();
	srv.sin_family = AF_INET;
	srv.sin_port = htons((uint16_t)(optind + 1 < argc ? atoi(argv[optind + 1]) : 5683));
	inet_pton(AF_INET, optind < argc ? argv[optind] : "127.0.0.1", &srv.sin_addr);
	if ((ntohl(srv.sin_addr.s_addr) >> 24) != 127) { fprintf(stderr, "loopback only\n"); return 2; }

	/* sockets and slots */
	ep = epoll_create1(0);
	S = calloc(P, sizeof *S); L = calloc(SLOT_MAX, sizeof *L);
	if (!THINGS) THINGS = P;
	if (answers_file) answers = calloc(ANSWERS_MAX / 8, 1);
	srand(1);
	for (unsigned i = 0; i < P; i++) {
		struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(lport ? lport + (int)i : 0)) };
		int big = 4 << 20;
		me.sin_addr.s_addr = htonl(ADDRS ? 0x7f010001u + i % ADDRS : 0x7f000001u);
		S[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (S[i].fd < 0) die("socket");
		setsockopt(S[i].fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
		setsockopt(S[i].fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
		if (bind(S[i].fd, (void *)&me, sizeof me)) die("bind");
		if (connect(S[i].fd, (void *)&srv, sizeof srv)) die("connect");
		S[i].mid = (uint16_t)rand();
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };
		epoll_ctl(ep, EPOLL_CTL_ADD, S[i].fd, &ev);
	}
	build_template();
	if (made_file) { tmpl_len = (unsigned)(made_next[0] << 8 | made_next[1]); PAY = 0; }
	for (unsigned k = 0; k < BATCH; k++) {
		memcpy(txb[k], tmpl, tmpl_len); memset(txb[k] + 4, (int)(k + 1), TKL);
		txv[k] = (struct iovec){ txb[k], tmpl_len }; txm[k].msg_hdr.msg_iov = &txv[k]; txm[k].msg_hdr.msg_iovlen = 1;
		rxv[k] = (struct iovec){ rxb[k], PKT_MAX };  rxm[k].msg_hdr.msg_iov = &rxv[k]; rxm[k].msg_hdr.msg_iovlen = 1;
	}
	if (closed && !ramp) for (unsigned i = 0; i < N; i++) S[i % P].n++;
	uint32_t f = 0;
	for (unsigned i = 0; i < P; i++) { S[i].first = f; f += S[i].n; }

	uint64_t t_begin = now_ns(), t_meas = t_begin + (uint64_t)(WARM * 1e9);
	uint64_t t_end = t_meas + (uint64_t)(DUR * 1e9), t_scan = t_begin + 100000000ull;
	uint64_t t_start_real = t_begin;
	int measuring = 0;
	double cu0 = 0, cs0 = 0, b0 = 0, st0 = 0, g0 = 0; uint64_t drop0 = kernel_drops();
	long rss0 = 0; struct rusage ru;
	struct epoll_event ev[256];
	uint64_t scheduled = 0; uint32_t next_sock = 0; unsigned inflight_ramp = 0; uint32_t ramp_slot = 0;
	uint32_t freed[BATCH];

	/* closed loop: prime all slots */
	if (closed && !ramp) for (unsigned i = 0; i < P; i++)
		for (uint32_t j = 0; j < S[i].n; j += BATCH) {
			unsigned k = 0; uint64_t t = now_ns();
			while (k < BATCH && j + k < S[i].n && fill(k, &S[i], S[i].first + j + k, t)) k++;
			flush(&S[i], k);
		}

	for (;;) {
		uint64_t t = now_ns();
		if (!measuring && t >= t_meas) {         /* warm-up over: zero everything */
			measuring = 1; memset(&C, 0, sizeof C); memset(hist, 0, sizeof hist); hist_n = hist_max = 0;
			for (int i = 0; i < npids; i++) { cu0 += pid_cpu(pids[i], &cs0); rss0 += pid_status(pids[i], "VmRSS:"); }
			b0 = busy_cpu(&st0); getrusage(RUSAGE_SELF, &ru);
			g0 = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
			if (P < 1000) drop0 = kernel_drops();  /* the kernel takes 100 ms to list thousands of sockets */
			t_start_real = now_ns();
		}
		if (t >= t_end || (stop_after && answered_all >= stop_after)) break;
		if (made_file && made_next == made_end && !(closed && any_busy())) break;

		if (!closed) {                           /* open loop: send what is due */
			uint64_t due = (uint64_t)((double)(t - t_begin) * RATE / 1e9);
			unsigned rounds = 0;
			while (scheduled < due && rounds++ < 32) {
				struct sock *s = &S[next_sock]; next_sock = next_sock + 1 == P ? 0 : next_sock + 1;
				unsigned k = 0;
				for (; k < BURST && scheduled < due; k++, scheduled++) {
					uint32_t i = (uint32_t)(scheduled & (SLOT_MAX - 1));
					if (L[i].busy && !flood && L[i].t0 >= t_meas) C.timeout++;
					if (!fill(k, s, i, t_begin + (uint64_t)((double)scheduled * 1e9 / RATE))) break;
					if (flood) L[i].busy = 0;
				}
				flush(s, k);
				if (made_file && made_next == made_end) break;
			}
		}
		if (ramp) while (inflight_ramp < N) {    /* next source port for every request */
			struct sock *s = &S[next_sock]; next_sock = next_sock + 1 == P ? 0 : next_sock + 1;
			uint32_t i = ramp_slot; ramp_slot = (ramp_slot + 1) & (SLOT_MAX - 1);
			if (L[i].busy) { C.timeout++; inflight_ramp--; }
			fill(0, s, i, now_ns()); flush(s, 1); inflight_ramp++;
		}

		int ne = epoll_wait(ep, ev, 256, closed ? 10 : 0);
		for (int e = 0; e < ne; e++) {
			struct sock *s = &S[ev[e].data.u32];
			unsigned nf = drain(s, freed);
			if (ramp) { inflight_ramp -= nf; continue; }
			if (!closed || !nf) continue;
			uint64_t tt = now_ns();              /* refill: one new request per completion */
			unsigned filled = 0;
			while (filled < nf && fill(filled, s, freed[filled], tt)) filled++;
			flush(s, filled);
			if (DUP) for (unsigned k = 0; k < nf; k++) if ((unsigned)(rand() % 100) < DUP) {
				if (send(s->fd, txb[k], tmpl_len, MSG_DONTWAIT) > 0) C.dup_sent++;
			}
		}
		if (closed && t >= t_scan) {             /* expire requests that got no answer */
			t_scan = t + (ramp ? 1000000000ull : 50000000ull);
			uint32_t lim = ramp ? SLOT_MAX : N;
			for (uint32_t i = 0; i < lim; i++)
				if (L[i].busy && t > L[i].t0 + (1 + (uint64_t)L[i].tries) * TMO_MS * 1000000ull) {
					if (L[i].tries < RETRIES && !ramp) {
						L[i].tries++; C.again++;
						write_slot(0, i); flush(&S[L[i].sock], 1);
						continue;
					}
					C.timeout++; L[i].busy = 0;
					if (ramp) { inflight_ramp--; continue; }
					struct sock *s = &S[L[i].sock];
					if (fill(0, s, i, now_ns())) flush(s, 1);
				}
		}
	}
	if (!measuring) { fprintf(stderr, "the datagrams did not last longer than the warm-up: %s\n", made_file); return 2; }
	uint64_t t_stop = now_ns();
	double secs = (double)(t_stop - t_start_real) / 1e9;
	double cu = 0, cs = 0, st, b = busy_cpu(&st) - b0; long rss = 0, hwm = 0;
	for (int i = 0; i < npids; i++) { cu += pid_cpu(pids[i], &cs); rss += pid_status(pids[i], "VmRSS:"); hwm += pid_status(pids[i], "VmHWM:"); }
	getrusage(RUSAGE_SELF, &ru);
	double g = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6 - g0;
	cu -= cu0; cs -= cs0;
	uint64_t ok_in_window = C.ok + C.c4 + C.c5;
	if (!closed && !flood) {                     /* open: wait for the stragglers */
		uint64_t lim = now_ns() + TMO_MS * 1000000ull, left = 1;
		while (left && now_ns() < lim) {
			int ne = epoll_wait(ep, ev, 256, 20);
			for (int e = 0; e < ne; e++) drain(&S[ev[e].data.u32], freed);
			if (!ne) { left = 0; for (uint32_t i = 0; i < SLOT_MAX; i++) left += L[i].busy; }
		}
		for (uint32_t i = 0; i < SLOT_MAX; i++) C.timeout += L[i].busy && L[i].t0 >= t_meas; /* not warm-up losses */
	}
	if (answers) {
		FILE *h = fopen(answers_file, "wb");
		if (!h || fwrite(answers, 1, (answers_end + 7) / 8, h) != (answers_end + 7) / 8 || fclose(h)) die(answers_file);
	}
	usleep(flood ? 300000 : 0);
	uint64_t drops = kernel_drops() - drop0;
	long long cnt = count_path ? get_count() : -1;
	uint64_t answered = C.ok + C.c4 + C.c5;
	double succ = closed ? 100.0 * (double)C.ok / (double)(answered + C.timeout ? answered + C.timeout : 1)
		    : flood ? 100.0 * (double)(C.sent > drops ? C.sent - drops : 0) / (double)(C.sent ? C.sent : 1)
			    : 100.0 * (double)C.ok / (double)(answered + C.timeout ? answered + C.timeout : 1);
	double rps = flood ? ((double)C.sent - (double)drops) / secs : (double)ok_in_window / secs;
	printf("{\"label\":\"%s\",\"mode\":\"%s%s\",\"outstanding\":%u,\"ports\":%u,\"payload\":%u,\"pkt\":%u,\"secs\":%.2f,"
	       "\"rps\":%.0f,\"sent_rps\":%.0f,\"success_pct\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
	       "\"ok\":%llu,\"c4\":%llu,\"c5\":%llu,\"rst\":%llu,\"timeout\":%llu,\"stale\":%llu,\"sep\":%llu,\"dup\":%llu,\"again\":%llu,\"refused\":%llu,\"eagain\":%llu,\"rx\":%llu,"
	       "\"kdrops\":%llu,\"count\":%lld,\"srv_user\":%.2f,\"srv_sys\":%.2f,\"srv_us_per_req\":%.2f,"
	       "\"rss0_mb\":%.1f,\"rss_mb\":%.1f,\"hwm_mb\":%.1f,\"next_seq\":%u,\"gen_cpu\":%.2f,\"other_cpu\":%.1f,\"steal\":%.1f}\n",
	       label, mode, !closed && !flood ? (con ? "-con" : "-non") : "", closed ? N : 0, P, PAY, tmpl_len, secs,
	       rps, (double)C.sent / secs, succ, hist_q(.5), hist_q(.99), hist_q(.999), (double)hist_max / 1000.0,
	       (unsigned long long)C.ok, (unsigned long long)C.c4, (unsigned long long)C.c5, (unsigned long long)C.rst,
	       (unsigned long long)C.timeout, (unsigned long long)C.stale, (unsigned long long)C.sep, (unsigned long long)C.dup_sent,
	       (unsigned long long)C.again, (unsigned long long)C.refused, (unsigned long long)C.eagain, (unsigned long long)C.rx,
	       (unsigned long long)drops, cnt, cu / secs, cs / secs, rps > 0 ? (cu + cs) / secs / rps * 1e6 : 0,
	       (double)rss0 / 1024, (double)rss / 1024, (double)hwm / 1024, seq, g / secs, 100 * (b - cu - cs - g) / secs, 100 * (st - st0) / secs);
	return 0;
}
