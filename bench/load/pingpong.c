/* Ping-pong: each connection has one small message under way; the next goes out when the last has come back. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
    int fd;
    int got;
    uint64_t sent_at;
};

static char message[65536], answer[65536];

static void trip(int fd, int size)
{
    send_all(fd, message, (size_t)size);
    receive_all(fd, answer, (size_t)size);
}

/* One connection blocks: the cheapest client there is, so that the relay is what is timed. */
static long one(const struct options *options, double *seconds)
{
    int fd = tcp_connect(options->port);
    long trips = 0;
    trip(fd, options->size);
    uint64_t start = now_ns(), before = start;
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    while (trips < options->limit && before < deadline) {
        trip(fd, options->size);
        uint64_t after = now_ns();
        sample(after - before);
        before = after;
        trips++;
    }
    *seconds = (double)(before - start) / 1e9;
    close(fd);
    return trips;
}

static void ping(struct peer *peer, const struct options *options)
{
    peer->got = 0;
    peer->sent_at = now_ns();
    send_all(peer->fd, message, (size_t)options->size);
}

/* Every connection has made a trip before the clock starts: the relay has then set all of them up. */
static long many(const struct options *options, double *seconds)
{
    struct epoll_event events[256];
    struct peer *peers = calloc((size_t)options->connections, sizeof *peers);
    int epoll = epoll_new();
    long trips = 0;

    for (int i = 0; i < options->connections; i++) {
        peers[i].fd = tcp_connect(options->port);
        trip(peers[i].fd, options->size);
        set_nonblocking(peers[i].fd);
        epoll_watch(epoll, peers[i].fd, EPOLLIN, (uint64_t)i);
    }
    uint64_t start = now_ns();
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    for (int i = 0; i < options->connections; i++)
        ping(&peers[i], options);

    while (trips < options->limit && now_ns() < deadline) {
        int count = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < count; i++) {
            struct peer *peer = &peers[events[i].data.u64];
            ssize_t n = recv(peer->fd, answer, (size_t)(options->size - peer->got), 0);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n <= 0)
                fail("receive");
            peer->got += (int)n;
            if (peer->got == options->size) {
                sample(now_ns() - peer->sent_at);
                trips++;
                ping(peer, options);
            }
        }
    }
    *seconds = (double)(now_ns() - start) / 1e9;
    return trips;
}

int pingpong(const struct options *options)
{
    memset(message, 'm', sizeof message);
    double seconds = 0;
    long trips = options->connections == 1 ? one(options, &seconds) : many(options, &seconds);
    printf("{\"operations\": %ld, \"seconds\": %.6f, ", trips, seconds);
    print_percentiles();
    return 0;
}
