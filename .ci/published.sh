# Checks and tests of the published programs and packages: what they require, and that they work as their users have them.

linux_programs=(linux-x64 linux-x64-portable linux-arm64 linux-arm64-portable)
# .NET reserves 256 GiB for its heap, and qemu records each page of them, which takes seconds at every start: here 4 GiB, in hexadecimal.
arm64_environment=(QEMU_LD_PREFIX=/usr/aarch64-linux-gnu DOTNET_GCRegionRange=100000000)

# From then on programs for arm64 run here, and so do those that they start: the kernel runs them with qemu.
use_arm64() {
    local formats=/proc/sys/fs/binfmt_misc
    [[ -e $formats/register ]] || mount -t binfmt_misc binfmt_misc "$formats"
    [[ -e $formats/qemu-aarch64 ]] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$formats/register"
}

# needs FILE: the libraries that a program for Linux requires, as README.md writes them.
needs() {
    local glibc
    glibc=$(readelf --version-info --wide "$1" | grep -oE 'GLIBC_[0-9.]+' | sort --version-sort | tail -n 1)
    printf 'glibc %s' "${glibc#GLIBC_}"
    ! readelf --dynamic "$1" | grep 'NEEDED.*libstdc++' >/dev/null || printf ', libstdc++'
}

# Each requires what README.md says, and runs the demo in an empty environment.
check_programs() {
    local name program needs
    for name in "${linux_programs[@]}"; do
        program=$artifacts/$name/wslrelay
        needs=$(needs "$program")
        grep -F "\`$name/wslrelay\`" README.md | grep -F "| $needs |" || fail "$name needs $needs, and README.md says otherwise"
        (cd / && env -i "${arm64_environment[@]}" "$program" demo | tail -n 1)
    done
    ls -l "$artifacts"/*-*64*/wslrelay{,.exe} "$artifacts"/packages/* 2>/dev/null
}

# The tool and the library as a user gets them: installed from the folder of packages, and used outside of it.
test_packages() {
    dotnet tool install wslrelay --source "$artifacts/packages" --tool-path "$artifacts/tool"
    WSLRELAY_PROGRAM=$artifacts/tool/wslrelay WSLRELAY_PACKAGES=$artifacts/packages run_tests packages "${tests_on_linux[@]}" \
        --filter-class '*.ReadmeTests' '*.DemoTests' '*.ForwardTests'
}

# The promises of a connection, through an arm64 relay and an arm64 agent. Not the memory limit: the figure would include qemu's own memory.
test_arm64() {
    test_arm64_program linux-arm64 '*.TcpLinkTests' '*.UnixLinkTests' '*.DemoTests' '*.ForwardTests'
    test_arm64_program linux-arm64-portable '*.TcpLinkTests' '*.DemoTests'
}

# test_arm64_program NAME CLASS...
test_arm64_program() {
    local name=$1
    shift
    WSLRELAY_PROGRAM=$artifacts/$name/wslrelay WSLRELAY_GUEST_PROGRAM=$artifacts/$name/wslrelay run_tests "$name" \
        env "${arm64_environment[@]}" "${tests_on_linux[@]}" --filter-class "$@" --filter-not-method '*in_bounded_memory'
}
