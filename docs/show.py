#!/usr/bin/env python3
"""Makes what README.md shows of the program from its real output: the transcript of `check`, and docs/watch.svg of `forward --watch`.

docs/show.py PROGRAM, a published wslrelay. Needs tmux, iproute2 and util-linux; host and guest are networks of their own.
"""
import html, os, pathlib, re, socket, subprocess, sys, tempfile, threading, time

DOCS = pathlib.Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
GUEST = "192.168.122.10"
COLUMNS, ROWS = 104, 10
COLORS = {"32": "#7ee787", "31": "#ff7b72"}


def listen(family, address, port):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen()

    def serve():
        while True:
            client, _ = server.accept()
            threading.Thread(target=echo, args=[client], daemon=True).start()

    def echo(client):
        try:
            while data := client.recv(65536):
                client.sendall(data)
        except ConnectionError:
            pass

    threading.Thread(target=serve, daemon=True).start()


def check(arguments):
    result = subprocess.run(["wslrelay", "check", *arguments], stdout=subprocess.PIPE, text=True)
    return f"$ wslrelay check {' '.join(arguments)}\n{result.stdout}"


def transcript():
    with subprocess.Popen([sys.executable, "-m", "http.server", "8080", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        while socket.socket().connect_ex(("127.0.0.1", 8080)):
            time.sleep(0.05)
        text = check(["8080:80", "--target", f"tcp:{GUEST}:7000"]) + "\n" + check(["3000", "--target", f"tcp:{GUEST}:7000"])
        server.terminate()
    return text


def watch(folder):
    tmux = ["tmux", "-f", "/dev/null", "-S", f"{folder}/tmux"]
    command = f"exec wslrelay forward 8080:80 5432 3000 8000-8003:8000-8003 --watch --target tcp:{GUEST}:7000"
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command], check=True)
    time.sleep(2)
    stop = time.monotonic() + 4

    def send(port, size, pause):
        with socket.create_connection(("127.0.0.1", port)) as client:
            while time.monotonic() < stop:
                client.sendall(bytes(size))
                left = size
                while left > 0:
                    left -= len(client.recv(left))
                time.sleep(pause)

    threads = [threading.Thread(target=send, args=arguments) for arguments in [(8080, 1 << 20, 0), (8080, 8000, 0.01), (5432, 300, 0.02)]]
    for thread in threads:
        thread.start()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", 3000)) as client:
            try:
                client.recv(1)
            except ConnectionResetError:
                pass
    time.sleep(2.5)
    screen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for thread in threads:
        thread.join()
    subprocess.run([*tmux, "kill-server"], check=True)
    return screen


def svg(screen):
    width, height, margin = 8.43, 19, 16
    lines = screen.rstrip("\n").split("\n")
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * width + 2 * margin:.0f}" height="{len(lines) * height + 2 * margin}"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">',
        '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    ]
    style = ""
    for number, line in enumerate(lines):
        spans, column = "", 0
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            if piece.startswith("\x1b"):
                for code in piece[2:-1].split(";"):
                    style = {"1": style + ' font-weight="bold"', "49": style, **{code: f' fill="{color}"' for code, color in COLORS.items()}}.get(code, "")
            elif piece.strip():
                spans += f'<tspan x="{margin + column * width:.1f}" textLength="{len(piece) * width:.1f}"{style}>{html.escape(piece)}</tspan>'
            column += 0 if piece.startswith("\x1b") else len(piece)
        out.append(f'<text xml:space="preserve" y="{margin + (number + 0.75) * height:.1f}">{spans}</text>')
    return "\n".join([*out, "</svg>", ""])


def run_guest():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    while subprocess.run(["ip", "address", "add", f"{GUEST}/24", "dev", "guest"], stderr=subprocess.DEVNULL).returncode:
        time.sleep(0.05)
    subprocess.run(["ip", "link", "set", "guest", "up"], check=True)

    # This one listens on IPv6 alone, as many development servers do.
    listen(socket.AF_INET6, "::1", 3000)
    for port in [80, 5432]:
        listen(socket.AF_INET, "127.0.0.1", port)
    subprocess.run(["wslrelay", "guest", "--listen", f"tcp:{GUEST}:7000"])


def run_host(program):
    guest = subprocess.Popen(["unshare", "-n", sys.executable, __file__, program, "guest"], stdout=subprocess.PIPE)
    for command in ["link set lo up", f"link add host type veth peer name guest netns {guest.pid}", "address add 192.168.122.1/24 dev host", "link set host up"]:
        subprocess.run(["ip", *command.split()], check=True)
    guest.stdout.readline()
    with tempfile.TemporaryDirectory() as folder:
        text = transcript()
        (DOCS / "watch.svg").write_text(svg(watch(folder)))
    readme = README.read_text()
    README.write_text(re.sub(r"(<!-- docs/show.py -->\n```\n).*?```", lambda match: f"{match[1]}{text}```", readme, flags=re.S))


os.environ["PATH"] = f"{pathlib.Path(sys.argv[1]).resolve().parent}:{os.environ['PATH']}"
match sys.argv[2:]:
    case []:
        os.execvp("unshare", ["unshare", "-r", "-n", "-p", "--fork", "--mount-proc", "--kill-child", sys.executable, __file__, sys.argv[1], "host"])
    case ["host"]:
        run_host(sys.argv[1])
    case _:
        run_guest()
