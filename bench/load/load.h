/* The load generator's parts: each command prints one JSON line that says what it did. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

struct options {
    int port;           /* on 127.0.0.1: the client's, where the relay or the server listens; the first of the server's three */
    int connections;
    int size;           /* bytes of one ping-pong message, or datagram */
    int window;         /* datagrams that each flow has under way */
    double seconds;
    long limit;         /* never more operations than this, however fast the relay is */
};

int serve(const struct options *options);
int bulk(const struct options *options);
int pingpong(const struct options *options);
int connections(const struct options *options);
int idle(const struct options *options);
int datagrams(const struct options *options);
int datagram_bulk(const struct options *options);
int datagram_idle(const struct options *options);

/* The server's side of datagrams: takes what has come. */
void udp_echo(int fd);
void udp_sink(int fd);

/* Prints the reason and errno, and ends the process: a figure with an error in it is not a figure. */
_Noreturn void fail(const char *what);

uint64_t now_ns(void);
int tcp_listen(int port);
int tcp_connect(int port);              /* blocking, TCP_NODELAY */
int tcp_connect_start(int port);        /* does not block: writable once connected */
int udp_bind(int port, int joined);     /* joined: datagrams that came together are received together (UDP_GRO) */
int udp_connect(int port);              /* blocking */
void set_nonblocking(int fd);
void send_all(int fd, const void *data, size_t length);
void receive_all(int fd, void *data, size_t length);
int epoll_new(void);
void epoll_watch(int epoll, int fd, uint32_t events, uint64_t data);

/* Times of round trips, and what they came to: the rest of a JSON object. */
void sample(uint64_t nanoseconds);
void print_percentiles(void);

#endif
