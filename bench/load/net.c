/* Sockets, clock and statistics that every command needs. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES 4000000u

static uint32_t *samples;
static size_t sample_count;

void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp_socket(int flags)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Accepted sockets inherit TCP_NODELAY from the listener. */
int tcp_listen(int port)
{
    struct sockaddr_in address = loopback(port);
    int one = 1;
    int fd = tcp_socket(SOCK_NONBLOCK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        fail("listen");
    return fd;
}

int tcp_connect(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = tcp_socket(0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    return fd;
}

int tcp_connect_start(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = tcp_socket(SOCK_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        fail("connect");
    return fd;
}

int udp_bind(int port, int joined)
{
    struct sockaddr_in address = loopback(port);
    int room = 4 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("bind");
    /* What is lost is to be lost by the relay. */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(fd, SOL_UDP, UDP_GRO, &joined, sizeof joined);
    return fd;
}

int udp_connect(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    return fd;
}

void set_nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        fail("fcntl");
}

void send_all(int fd, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = send(fd, (const char *)data + done, length - done, MSG_NOSIGNAL);
        if (n <= 0)
            fail("send");
        done += (size_t)n;
    }
}

void receive_all(int fd, void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = recv(fd, (char *)data + done, length - done, 0);
        if (n == 0)
            errno = EPIPE;
        if (n <= 0)
            fail("receive");
        done += (size_t)n;
    }
}

int epoll_new(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        fail("epoll_create1");
    return epoll;
}

void epoll_watch(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = { .events = events, .data.u64 = data };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

void sample(uint64_t nanoseconds)
{
    if (samples == NULL)
        samples = malloc(MAX_SAMPLES * sizeof *samples);
    if (sample_count < MAX_SAMPLES)
        samples[sample_count++] = nanoseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)nanoseconds;
}

static double percentile_us(double fraction)
{
    if (sample_count == 0)
        return 0;
    size_t index = (size_t)(fraction * (double)sample_count);
    return samples[index < sample_count ? index : sample_count - 1] / 1000.0;
}

void print_percentiles(void)
{
    qsort(samples, sample_count, sizeof *samples, compare);
    printf("\"p50_us\": %.3f, \"p99_us\": %.3f}\n", percentile_us(0.50), percentile_us(0.99));
}
