"""Look at a scene in a browser: python -m status_source SCENE [PORT]."""

import asyncio
import sys

from status_source import SCENES, Source, serve


async def main(scene: str, port: int) -> None:
    """Serve one scene until interrupted."""
    async with serve(Source(SCENES[scene]), port) as address:
        print(f"{scene} on {address}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
