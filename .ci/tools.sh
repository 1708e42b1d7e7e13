# The foreign programs that the build and the tests need, from Debian, each only where it is missing, and PowerShell.

packages=(bind9-dnsutils curl debootstrap dnsmasq-base gcc haproxy iperf3 libc6-dev iproute2 nginx-light nodejs redis-server redis-tools python3 python3-msgpack python3-pynvim ruby-msgpack systemd tmux util-linux)
# Another processor: what links a program for it, what stands for it, and the libraries of a machine that has it.
packages+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross)
# HTTP/3, in which datagrams carry more than questions and answers.
packages+=(ngtcp2-client ngtcp2-server)

install_tools() {
    local missing=() package
    for package in "${packages[@]}"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "nothing is missing"
        return
    fi

    echo "missing: ${missing[*]}"
    # Servers that are installed here must not be started: the tests start their own.
    local policy=/usr/sbin/policy-rc.d made= code=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
        made=1
    fi

    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$artifacts/apt.log" 2>&1 || code=$?
    [[ -z $made ]] || rm $policy
    ((code == 0)) || cat "$artifacts/apt.log"
    return $code
}

install_powershell() {
    dotnet tool install PowerShell --version 7.6.9 --tool-path "$artifacts/powershell"
}
