/* The server behind every relay: an echo port, a sink that reads and a sink that drops in the kernel. The sinks are a process of their own, so
   that a small request beside bulk waits for the relay and not for the server. All end with standard input. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

enum kind { ECHO, SINK, DROP, KINDS };

#define BUFFER (256 * 1024)
#define LISTENER ((uint64_t)1 << 40)
#define INPUT ((uint64_t)1 << 41)

static char buffer[BUFFER];
static uint64_t *received;      /* by descriptor: bytes that a sink has taken */

static uint64_t tag(int fd, enum kind kind)
{
    return (uint64_t)kind << 32 | (uint32_t)fd;
}

static void accept_all(int epoll, int listener, enum kind kind, int limit)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 || fd >= limit)
            return;
        received[fd] = 0;
        epoll_watch(epoll, fd, EPOLLIN, tag(fd, kind));
    }
}

/* A client has one small message under way, so the answer always fits into the socket's buffer. */
static void echo(int fd)
{
    ssize_t n = recv(fd, buffer, BUFFER, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
        close(fd);
}

/* The count goes back only after the end of the stream: it proves that every byte came through, and the half-close too. */
static void sink(int fd, enum kind kind)
{
    for (int turn = 0; turn < 8; turn++) {
        ssize_t n = kind == DROP ? recv(fd, NULL, 16 * BUFFER, MSG_TRUNC) : recv(fd, buffer, BUFFER, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            if (n == 0)
                send(fd, &received[fd], sizeof received[fd], MSG_NOSIGNAL);
            close(fd);
            return;
        }
        received[fd] += (uint64_t)n;
        if (n < BUFFER)
            return;
    }
}

static int serve_listeners(const int *listeners, enum kind first, enum kind last)
{
    struct epoll_event events[256];
    int epoll = epoll_new();
    int limit = (int)sysconf(_SC_OPEN_MAX);

    received = calloc((size_t)limit, sizeof *received);
    for (enum kind kind = first; kind <= last; kind++)
        epoll_watch(epoll, listeners[kind], EPOLLIN, LISTENER | tag(listeners[kind], kind));
    epoll_watch(epoll, STDIN_FILENO, EPOLLIN, INPUT);

    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            uint64_t data = events[i].data.u64;
            int fd = (int)(uint32_t)data;
            enum kind kind = (enum kind)(data >> 32 & 3);
            if (data & INPUT)
                return 0;
            if (data & LISTENER)
                accept_all(epoll, fd, kind, limit);
            else if (kind == ECHO)
                echo(fd);
            else
                sink(fd, kind);
        }
    }
}

/* Datagrams have the ports of ECHO and SINK too, and a process of their own. */
static _Noreturn void serve_datagrams(int echo, int sink)
{
    struct epoll_event events[2];
    int epoll = epoll_new();
    epoll_watch(epoll, echo, EPOLLIN, ECHO);
    epoll_watch(epoll, sink, EPOLLIN, SINK);
    for (;;) {
        int count = epoll_wait(epoll, events, 2, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == ECHO)
                udp_echo(echo);
            else
                udp_sink(sink);
        }
    }
}

static pid_t fork_child(void)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return child;
}

int serve(const struct options *options)
{
    int listeners[KINDS];
    int udp_echo_socket = udp_bind(options->port + ECHO, 0), udp_sink_socket = udp_bind(options->port + SINK, 1);
    for (int kind = 0; kind < KINDS; kind++)
        listeners[kind] = tcp_listen(options->port + kind);
    printf("{\"echo\": %d, \"sink\": %d, \"drop\": %d}\n", options->port + ECHO, options->port + SINK, options->port + DROP);
    fflush(stdout);

    if (fork_child() == 0)
        return serve_listeners(listeners, SINK, DROP);
    if (fork_child() == 0)
        serve_datagrams(udp_echo_socket, udp_sink_socket);
    return serve_listeners(listeners, ECHO, ECHO);
}
