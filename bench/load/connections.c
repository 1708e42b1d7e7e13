/* Connections per second: connect, one byte each way, close; one after the other, or several at once. And idle ones, held. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static long one_by_one(const struct options *options, uint64_t deadline)
{
    long done = 0;
    char byte = 'c';
    while (done < options->limit && now_ns() < deadline) {
        int fd = tcp_connect(options->port);
        send_all(fd, &byte, 1);
        receive_all(fd, &byte, 1);
        close(fd);
        done++;
    }
    return done;
}

static void begin(int epoll, const struct options *options)
{
    int fd = tcp_connect_start(options->port);
    epoll_watch(epoll, fd, EPOLLOUT, (uint64_t)fd);
}

/* An event is "connected", then "answered"; closing takes the descriptor out of epoll. */
static int advance(int epoll, int fd, uint32_t events)
{
    char byte = 'c';
    if (events & EPOLLOUT && !(events & EPOLLIN)) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)fd };
        send_all(fd, &byte, 1);
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        return 0;
    }
    receive_all(fd, &byte, 1);
    close(fd);
    return 1;
}

static long at_once(const struct options *options, uint64_t deadline)
{
    struct epoll_event events[256];
    int epoll = epoll_new();
    int open = options->connections;
    long done = 0;

    for (int i = 0; i < open; i++)
        begin(epoll, options);
    while (open > 0) {
        int count = epoll_wait(epoll, events, 256, -1);
        int more = done < options->limit && now_ns() < deadline;
        for (int i = 0; i < count; i++) {
            if (!advance(epoll, (int)events[i].data.u64, events[i].events))
                continue;
            done++;
            if (more)
                begin(epoll, options);
            else
                open--;
        }
    }
    return done;
}

int connections(const struct options *options)
{
    uint64_t start = now_ns();
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    long done = options->connections == 1 ? one_by_one(options, deadline) : at_once(options, deadline);
    printf("{\"operations\": %ld, \"seconds\": %.6f}\n", done, (double)(now_ns() - start) / 1e9);
    return 0;
}

/* One byte each way first: the connection is then known to reach the server. Held until standard input ends. */
int idle(const struct options *options)
{
    char byte = 'c';
    for (int i = 0; i < options->connections; i++) {
        int fd = tcp_connect(options->port);
        send_all(fd, &byte, 1);
        receive_all(fd, &byte, 1);
    }
    printf("{\"operations\": %d}\n", options->connections);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
