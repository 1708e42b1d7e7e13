/* Datagrams: flows that each have some under way, and a bulk of them one way, as QUIC sends. A datagram that does not come back within a while is
   counted as lost, and another takes its place. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LOST_NS 50000000u
#define BATCH 64
#define SEGMENT 1200
#define SEGMENTS 50             /* in one send: the kernel takes 64, and 64 KiB */
#define UNDER_WAY (2 * SEGMENTS * SEGMENT)

struct flow {
    int fd;
    int under_way;
    uint64_t heard_at;
};

static char message[65536], answer[65536];
static uint64_t lost;

static void send_datagrams(struct flow *flow, int count, int size)
{
    struct mmsghdr headers[BATCH];
    struct iovec data = { .iov_base = message, .iov_len = (size_t)size };
    memset(headers, 0, sizeof headers);
    for (int i = 0; i < count; i++)
        headers[i].msg_hdr = (struct msghdr){ .msg_iov = &data, .msg_iovlen = 1 };
    int sent = sendmmsg(flow->fd, headers, (unsigned)count, MSG_DONTWAIT);
    if (sent > 0)
        flow->under_way += sent;
    else if (errno != EAGAIN && errno != ECONNREFUSED)
        fail("sendmmsg");
}

static int receive_datagrams(struct flow *flow, int size)
{
    static char room[BATCH][2048];
    struct mmsghdr headers[BATCH];
    struct iovec data[BATCH];
    memset(headers, 0, sizeof headers);
    for (int i = 0; i < BATCH; i++) {
        data[i] = (struct iovec){ .iov_base = room[i], .iov_len = sizeof room[i] };
        headers[i].msg_hdr = (struct msghdr){ .msg_iov = &data[i], .msg_iovlen = 1 };
    }
    int count = recvmmsg(flow->fd, headers, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN && errno != ECONNREFUSED)
        fail("recvmmsg");
    for (int i = 0; i < count; i++) {
        if (headers[i].msg_len != (unsigned)size) {
            fprintf(stderr, "load: a datagram of %d bytes came back with %u\n", size, headers[i].msg_len);
            exit(1);
        }
    }
    return count < 0 ? 0 : count;
}

/* One flow with one under way blocks: the cheapest client there is. */
static long one(const struct options *options, double *seconds)
{
    int fd = udp_connect(options->port);
    struct timeval wait = { .tv_usec = LOST_NS / 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    uint64_t start = now_ns(), before = start;
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    long trips = 0;
    while (trips < options->limit && before < deadline) {
        ssize_t n = send(fd, message, (size_t)options->size, 0);
        n = n < 0 ? n : recv(fd, answer, sizeof answer, 0);
        uint64_t after = now_ns();
        if (n == options->size) {
            sample(after - before);
            trips++;
        } else {
            lost++;
        }
        before = after;
    }
    *seconds = (double)(before - start) / 1e9;
    close(fd);
    return trips;
}

static void give_up_lost(struct flow *flows, const struct options *options, uint64_t now)
{
    for (int i = 0; i < options->connections; i++) {
        if (now - flows[i].heard_at < LOST_NS)
            continue;
        lost += (uint64_t)flows[i].under_way;
        flows[i].under_way = 0;
        flows[i].heard_at = now;
        send_datagrams(&flows[i], options->window, options->size);
    }
}

static long many(const struct options *options, double *seconds)
{
    struct epoll_event events[256];
    struct flow *flows = calloc((size_t)options->connections, sizeof *flows);
    int epoll = epoll_new();
    long trips = 0;

    for (int i = 0; i < options->connections; i++) {
        flows[i].fd = udp_connect(options->port);
        epoll_watch(epoll, flows[i].fd, EPOLLIN, (uint64_t)i);
    }
    uint64_t start = now_ns(), now = start, checked = start;
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    for (int i = 0; i < options->connections; i++) {
        flows[i].heard_at = start;
        send_datagrams(&flows[i], options->window, options->size);
    }
    while (trips < options->limit && now < deadline) {
        int count = epoll_wait(epoll, events, 256, 10);
        now = now_ns();
        for (int i = 0; i < count; i++) {
            struct flow *flow = &flows[events[i].data.u64];
            int came = receive_datagrams(flow, options->size);
            if (came == 0)
                continue;
            trips += came;
            flow->heard_at = now;
            flow->under_way -= came < flow->under_way ? came : flow->under_way;
            send_datagrams(flow, options->window - flow->under_way, options->size);
        }
        if (now - checked > LOST_NS / 5) {
            give_up_lost(flows, options, now);
            checked = now;
        }
    }
    *seconds = (double)(now - start) / 1e9;
    return trips;
}

int datagrams(const struct options *options)
{
    memset(message, 'm', sizeof message);
    double seconds = 0;
    long trips = options->connections == 1 && options->window == 1 ? one(options, &seconds) : many(options, &seconds);
    printf("{\"operations\": %ld, \"seconds\": %.6f, \"lost\": %.6f, ", trips, seconds, (double)lost / (double)(trips + (long)lost + 1));
    print_percentiles();
    return 0;
}

/* One way, cut into segments by the kernel; the sink says now and then how much has come. What it has not said after a while is lost. */
int datagram_bulk(const struct options *options)
{
    int fd = udp_connect(options->port);
    int segment = SEGMENT;
    struct timeval wait = { .tv_usec = 20000 };
    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);

    uint64_t start = now_ns(), now = start, sent = 0, base = 0, arrived = 0, missing = 0;
    uint64_t deadline = start + (uint64_t)(options->seconds * 1e9);
    memset(message, 'm', sizeof message);
    while (now < deadline) {
        while (sent - base + SEGMENTS * SEGMENT <= UNDER_WAY) {
            if (send(fd, message, SEGMENTS * SEGMENT, 0) < 0)
                break;
            sent += SEGMENTS * SEGMENT;
        }
        uint64_t told;
        if (recv(fd, &told, sizeof told, 0) == sizeof told) {
            arrived = told > arrived ? told : arrived;
            base = arrived + missing;
        } else {
            missing = sent - arrived;
            base = sent;
        }
        now = now_ns();
    }
    printf("{\"operations\": %.0f, \"seconds\": %.6f, \"lost\": %.6f}\n", (double)arrived / SEGMENT, (double)(now - start) / 1e9,
           (double)missing / (double)(sent + 1));
    return 0;
}

/* The flows are known to reach the server. Held until standard input ends. */
int datagram_idle(const struct options *options)
{
    struct timeval wait = { .tv_usec = 200000 };
    for (int i = 0; i < options->connections; i++) {
        int fd = udp_connect(options->port);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        for (int attempt = 0;; attempt++) {
            if (send(fd, message, 1, 0) == 1 && recv(fd, answer, 1, 0) == 1)
                break;
            if (attempt == 20)
                fail("no answer");
        }
    }
    printf("{\"operations\": %d}\n", options->connections);
    fflush(stdout);
    while (read(STDIN_FILENO, message, 1) > 0)
        ;
    return 0;
}

/* The server's side: answers come from where the datagram had gone, with the batches' own buffers. */
void udp_echo(int fd)
{
    static char room[BATCH][65536 / 8];
    static struct sockaddr_in clients[BATCH];
    struct mmsghdr headers[BATCH];
    struct iovec data[BATCH];
    memset(headers, 0, sizeof headers);
    for (int i = 0; i < BATCH; i++) {
        data[i] = (struct iovec){ .iov_base = room[i], .iov_len = sizeof room[i] };
        headers[i].msg_hdr = (struct msghdr){ .msg_iov = &data[i], .msg_iovlen = 1, .msg_name = &clients[i], .msg_namelen = sizeof clients[i] };
    }
    int count = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++)
        data[i].iov_len = headers[i].msg_len;
    if (count > 0)
        sendmmsg(fd, headers, (unsigned)count, MSG_DONTWAIT);
}

/* Counts for each client, known by its port, and tells it after each receive. */
void udp_sink(int fd)
{
    static uint64_t counts[65536];
    for (int turn = 0; turn < 8; turn++) {
        struct sockaddr_in client;
        socklen_t length = sizeof client;
        ssize_t n = recvfrom(fd, answer, sizeof answer, MSG_DONTWAIT, (struct sockaddr *)&client, &length);
        if (n < 0)
            return;
        uint64_t *count = &counts[ntohs(client.sin_port)];
        *count += (uint64_t)n;
        /* A batch of segments that was not joined on its way is not answered one by one. */
        if (n > SEGMENT || *count / (8 * SEGMENT) != (*count - (uint64_t)n) / (8 * SEGMENT))
            sendto(fd, count, sizeof *count, MSG_DONTWAIT, (struct sockaddr *)&client, length);
    }
}
