/* Bulk: streams that send as fast as the relay takes it for a time, end, and wait until the sink says how much arrived. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

struct stream {
    int fd;
    int ended;
    uint64_t sent;
};

static char buffer[BUFFER];

static void fill(struct stream *stream)
{
    for (int turn = 0; turn < 8; turn++) {
        ssize_t n = send(stream->fd, buffer, BUFFER, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            fail("send");
        stream->sent += (uint64_t)n;
    }
}

static void finish(int epoll, struct stream *stream, uint64_t index)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = index };
    stream->ended = 1;
    shutdown(stream->fd, SHUT_WR);
    epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &event);
}

int bulk(const struct options *options)
{
    struct epoll_event events[64];
    struct stream *streams = calloc((size_t)options->connections, sizeof *streams);
    int epoll = epoll_new();
    int open = options->connections;
    uint64_t total = 0;

    for (int i = 0; i < options->connections; i++) {
        streams[i].fd = tcp_connect(options->port);
        set_nonblocking(streams[i].fd);
        epoll_watch(epoll, streams[i].fd, EPOLLOUT, (uint64_t)i);
    }

    uint64_t start = now_ns();
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    int ending = 0;
    while (open > 0) {
        if (!ending && now_ns() >= deadline) {
            ending = 1;
            for (int i = 0; i < options->connections; i++)
                finish(epoll, &streams[i], (uint64_t)i);
        }
        int count = epoll_wait(epoll, events, 64, ending ? -1 : 10);
        for (int i = 0; i < count; i++) {
            struct stream *stream = &streams[events[i].data.u64];
            if (!stream->ended) {
                fill(stream);
                continue;
            }
            uint64_t arrived = 0;
            ssize_t n = recv(stream->fd, &arrived, sizeof arrived, 0);
            if (n < 0 && errno == EAGAIN)
                continue;
            if (n <= 0) {
                fprintf(stderr, "load: the relay ends both directions at the end of one\n");
                return 1;
            }
            if (n != sizeof arrived || arrived != stream->sent) {
                fprintf(stderr, "load: sent %" PRIu64 " bytes, %" PRIu64 " arrived\n", stream->sent, arrived);
                return 1;
            }
            total += arrived;
            close(stream->fd);
            open--;
        }
    }

    double seconds = (double)(now_ns() - start) / 1e9;
    printf("{\"operations\": %" PRIu64 ", \"seconds\": %.6f}\n", total, seconds);
    return 0;
}
