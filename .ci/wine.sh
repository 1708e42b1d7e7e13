# Runs the Windows build in Wine 10, of a Debian 13 in a folder, whatever the machine's own Debian is. docs/windows.md says why this version.

debian=$artifacts/debian-13
wine=("$PWD/.ci/in-debian" "$debian" /usr/lib/wine/wine64)
wineserver=("$PWD/.ci/in-debian" "$debian" /usr/lib/wine/wineserver64)
wine_started=

# install_wine: from the mirror, and through the proxy, that this machine's apt has. Under a minute.
install_wine() {
    local mirror proxy=
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy ]] || local -x http_proxy=$proxy
    {
        debootstrap --variant=minbase trixie "$debian" "$mirror"
        .ci/in-debian "$debian" apt-get install -y -qq --no-install-recommends wine wine64
    } >"$artifacts/debian-13.log" 2>&1 || { cat "$artifacts/debian-13.log"; return 1; }
}

# use_wine PREFIX: later commands run in the prefix in that folder.
use_wine() {
    export WINEPREFIX=$1 WINEDEBUG=-all WINEARCH=win64
    # Without the first, the runtime crashes at random; with the debugger, a program with an unhandled exception would exit with 0.
    export DOTNET_EnableWriteXorExecute=0 WINEDLLOVERRIDES='winedbg.exe,winemenubuilder.exe=d'
    # Wine loses the upper halves of wide vector registers when the garbage collector stops a thread: half of a long text became zeros.
    export DOTNET_EnableAVX=0
    unset DISPLAY
}

# make_wine PREFIX: creates a prefix in a folder. Takes seconds, or minutes if the disk must first read what was just installed.
make_wine() {
    use_wine "$1"
    mkdir -p "$1"
    timeout 600 "${wine[@]}" wineboot -i >/dev/null 2>&1
    timeout 600 "${wine[@]}" winecfg -v win10 >/dev/null 2>&1
    timeout 600 "${wineserver[@]}" -w
}

# start_wine PREFIX: starts the server of a prefix, with the settings that .NET needs.
start_wine() {
    use_wine "$1"
    wine_started=1
    # Two descriptors of its server for every mapped port.
    ulimit -Sn "$(ulimit -Hn)"
    # The server keeps the standard output of the process that starts it open: the reader of a pipe there would wait for ever.
    "${wineserver[@]}" -p >/dev/null 2>&1
    timeout 600 "${wine[@]}" cmd /c exit >/dev/null 2>&1
}

stop_wine() {
    [[ -z $wine_started ]] || "${wineserver[@]}" -k || true
    wine_started=
}

# run_wine SECONDS PROGRAM ARGUMENT...
run_wine() {
    local seconds=$1
    shift
    timeout --kill-after=10 "$seconds" "${wine[@]}" "$@"
}

wine_path() {
    printf 'Z:%s' "${1//\//\\}"
}

# native_path PATH COMMAND: the path in the form that the command's programs use.
native_path() {
    if [[ $2 == run_wine ]]; then
        wine_path "$1"
    else
        printf '%s' "$1"
    fi
}
