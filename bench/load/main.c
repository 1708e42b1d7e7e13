/* The load generator: "load serve", or one client command with --port and its options. */
#define _GNU_SOURCE
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors are what the idle rows need most of. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "port", required_argument, NULL, 'p' },
        { "connections", required_argument, NULL, 'c' },
        { "seconds", required_argument, NULL, 's' },
        { "size", required_argument, NULL, 'b' },
        { "window", required_argument, NULL, 'w' },
        { "limit", required_argument, NULL, 'l' },
        { 0 },
    };
    struct options options = { .connections = 1, .size = 64, .window = 1, .seconds = 1, .limit = 10000000 };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'b': options.size = atoi(optarg); break;
        case 'w': options.window = atoi(optarg); break;
        case 'l': options.limit = atol(optarg); break;
        default: return 2;
        }
    }

    const char *command = optind < argc ? argv[optind] : "";
    raise_descriptor_limit();
    if (strcmp(command, "serve") == 0)
        return serve(&options);
    if (strcmp(command, "idle") == 0)
        return idle(&options);
    if (strcmp(command, "datagram-idle") == 0)
        return datagram_idle(&options);

    /* A relay that has stopped moving data ends the run with a signal instead of hanging it. */
    alarm((unsigned)options.seconds + 15);
    if (strcmp(command, "bulk") == 0)
        return bulk(&options);
    if (strcmp(command, "pingpong") == 0)
        return pingpong(&options);
    if (strcmp(command, "connections") == 0)
        return connections(&options);
    if (strcmp(command, "datagrams") == 0)
        return datagrams(&options);
    if (strcmp(command, "datagram-bulk") == 0)
        return datagram_bulk(&options);
    fprintf(stderr, "usage: load serve | bulk | pingpong | connections | idle | datagrams | datagram-bulk | datagram-idle, with --port N [--connections N] [--seconds S]\n");
    return 2;
}
