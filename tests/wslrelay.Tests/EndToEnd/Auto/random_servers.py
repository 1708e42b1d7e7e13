"""Twenty echo servers that keep running, and twenty that start and stop at random. Usage: random_servers.py FIRST_PORT

Prints the ports that are open at the end, in order.
"""

import asyncio
import random
import sys


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main(first):
    generator = random.Random(17)
    open_servers = {port: await asyncio.start_server(echo, "127.0.0.1", port) for port in range(first, first + 20)}
    for _ in range(300):
        port = first + 20 + generator.randrange(20)
        if port in open_servers:
            open_servers.pop(port).close()
        else:
            open_servers[port] = await asyncio.start_server(echo, "127.0.0.1", port)
        await asyncio.sleep(generator.uniform(0, 0.05))
    print(*sorted(open_servers))
    await asyncio.sleep(3600)


asyncio.run(main(int(sys.argv[1])))
