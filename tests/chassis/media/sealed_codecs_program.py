"""Warms up the codecs, then prints which files a run over all kinds of pictures opens."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from services.chassis.errors import MeshError
from services.chassis.media.headers import ALLOWED_MEDIA_TYPES
from services.chassis.media.image import ImageLimits, decode, encode, probe, warm_up
from services.chassis.memory.arena import Budget
from tests import pictures


def main() -> None:
    """Print the paths as a list."""
    shown = pictures.gradient(24, 31)
    uploads = [pictures.encoded(shown, "JPEG", progressive=True), pictures.encoded(shown, "GIF")]
    profile = pictures.matrix_profile(colorants="GRB")
    for file_format in ("JPEG", "PNG", "WEBP"):
        uploads.append(pictures.with_metadata(shown, file_format, "secret"))
        uploads.append(pictures.turned(shown, 6, file_format))
        uploads.append(pictures.encoded(shown, file_format, icc_profile=profile))
        uploads.append(pictures.encoded(shown, file_format)[:-100])
        uploads.append(pictures.bomb(file_format, 16_384, 16_384))
    paths: list[object] = []
    warm_up()
    sys.addaudithook(lambda event, values: paths.append(values[0]) if event == "open" else None)
    for upload in uploads:
        with Budget(1 << 26).lease(0) as arena:
            try:
                picture = decode(upload, probe(upload, "", ImageLimits()), arena)
            except MeshError:
                continue
            for media_type in ALLOWED_MEDIA_TYPES:
                encode(picture.pixels, picture.pixels[:, :, 0].copy(), media_type, 80, arena)
    sys.stdout.write(f"{paths}\n")


main()
