"""The benchmark of wslrelay against other TCP relays: see bench/README.md."""
