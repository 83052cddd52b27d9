/*
 * Does what systemd does for the gateway: opens UDP sockets, keeps them, and runs a command that inherits them
 * (sd_listen_fds(3)), again each time that it ends.
 *
 *   hold-sockets <count> <address> <port> <receive buffer> <command> [argument...]
 *
 * Ends with SIGTERM, when the command has ended.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 16, ASIDE = 100 };

static volatile sig_atomic_t ending;
static pid_t child;

static void on_term(int signal_number)
{
	ending = 1;
	if (child > 0) kill(child, signal_number);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_socket(const char *address, unsigned short port, int buffer, int place)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1) die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one)) die("SO_REUSEPORT");
	/* The limit of the machine holds only for others than root. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	if (bind(fd, (void *)&at, sizeof at)) die("bind");
	if (dup2(fd, place) < 0) die("dup2");
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 6) return 2;
	int count = atoi(argv[1]);
	if (count < 1 || count > MOST) return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Aside first, so that the descriptors that the command gets are free. */
	for (int i = 0; i < count; i++) open_socket(argv[2], (unsigned short)atoi(argv[3]), atoi(argv[4]), ASIDE + i);
	signal(SIGTERM, on_term);
	while (!ending) {
		child = fork();
		if (child == 0) {
			char text[16];
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (int i = 0; i < count; i++) {
				if (dup2(ASIDE + i, FIRST + i) < 0) die("dup2");
				close(ASIDE + i);
			}
			snprintf(text, sizeof text, "%d", count);
			setenv("LISTEN_FDS", text, 1);
			snprintf(text, sizeof text, "%d", (int)getpid());
			setenv("LISTEN_PID", text, 1);
			execvp(argv[5], argv + 5);
			die(argv[5]);
		}
		while (waitpid(child, NULL, 0) < 0 && !ending) continue;
		child = 0;
	}
	while (wait(NULL) > 0) continue;
	return 0;
}
