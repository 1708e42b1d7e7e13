// Runs a command for which system calls fail, as in a sandbox: refuse-call ERRNO NAME[,NAME...] COMMAND...
// The name netlink stands for a socket(2) of that family.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
    {"accept4", SYS_accept4}, {"flock", SYS_flock}, {"io_uring_enter", SYS_io_uring_enter}, {"io_uring_setup", SYS_io_uring_setup},
    {"pipe2", SYS_pipe2}, {"sendmsg", SYS_sendmsg}, {"splice", SYS_splice}, {"statx", SYS_statx},
};

int main(int argc, char **argv) {
    if (argc < 4)
        return 97;
    unsigned answer = SECCOMP_RET_ERRNO | atoi(argv[1]);
    struct sock_filter program[64] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short length = 1;
    for (char *name = strtok(argv[2], ","); name; name = strtok(NULL, ",")) {
        if (!strcmp(name, "netlink")) {
            program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4);
            program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]));
            program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1);
            program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
            program[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
            continue;
        }
        size_t i = 0;
        while (i < sizeof calls / sizeof *calls && strcmp(calls[i].name, name))
            i++;
        if (i == sizeof calls / sizeof *calls)
            return 98;
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {length, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
        perror("seccomp");
        return 99;
    }
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 97;
}
