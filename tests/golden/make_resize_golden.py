"""Images in other sizes as Pillow makes them, for tests/framework/images/resize_test.cpp.

    python make_resize_golden.py            writes resize.json beside this file

With Pillow 12.2.0. Version 13 goes over columns before rows where they shrink much more, which rounds otherwise.
"""
import hashlib, json, pathlib
import numpy, PIL
from PIL import Image, ImageOps

BILINEAR = Image.Resampling.BILINEAR
SIZES = [
    ((500, 375), [(341, 256), (224, 224), (625, 500), (500, 200), (100, 375), (500, 375)]),
    ((375, 500), [(256, 341), (7, 300)]),
    ((28, 28), [(28, 28), (20, 13), (64, 65), (9, 9)]),
    ((33, 21), [(1, 1), (2, 3), (32, 20), (34, 22)]),
    ((1, 1), [(1, 1), (7, 5)]),
    ((1, 9), [(4, 4), (1, 3)]),
    ((17, 1), [(5, 3), (1, 1)]),
    ((5, 490), [(5, 2), (3, 489)]),
    ((640, 3), [(2, 3), (639, 2)]),
    ((900, 700), [(3, 2), (449, 11)]),
]
FITTED = [((500, 375), (224, 224)), ((375, 500), (224, 224)), ((33, 21), (28, 28)), ((21, 34), (28, 20)),
          ((97, 8), (10, 10)), ((28, 28), (28, 28)), ((31, 30), (29, 28)), ((640, 200), (4, 7))]


def image(width, height, channels):
    i = numpy.arange(width * height * channels, dtype=numpy.uint64)
    pixels = (i * i * 31 + i * 17 + (i >> numpy.uint64(3)) * 11).astype(numpy.uint8)
    shape = (height, width, 3) if channels == 3 else (height, width)
    return Image.fromarray(pixels.reshape(shape))


def case(made, size, to, channels, **more):
    digest = hashlib.sha256(numpy.asarray(made).tobytes()).hexdigest()
    return {"size": size, "to": to, "channels": channels, **more, "sha256": digest}


def short_side(size, side):  # torchvision.transforms.Resize(side)
    short, long = min(size), max(size)
    other = int(side * long / short)
    return (side, other) if size[0] <= size[1] else (other, side)


def centre(made, to):  # torchvision.transforms.CenterCrop
    top, left = int(round((made.height - to[1]) / 2.0)), int(round((made.width - to[0]) / 2.0))
    return made.crop((left, top, left + to[0], top + to[1]))


def filled(made, to):
    if to[0] == to[1]:
        return centre(made.resize(short_side(made.size, to[0]), BILINEAR), to)
    scale = max(to[0] / made.width, to[1] / made.height)
    size = tuple(max(int(side * scale), wanted) for side, wanted in zip(made.size, to))
    return centre(made.resize(size, BILINEAR), to)


stretched, boxes, cropped, padded, short = [], [], [], [], []
for channels in (1, 3):
    for size, all_to in SIZES:
        for to in all_to:
            stretched.append(case(image(*size, channels).resize(to, BILINEAR), size, to, channels))
    for box in ((0, 0, 100, 75), (13, 7, 300, 211), (499, 374, 1, 1), (450, 0, 50, 375), (0, 374, 500, 1)):
        x, y, width, height = box
        part = image(500, 375, channels).crop((x, y, x + width, y + height))
        boxes.append(case(part.resize((96, 64), BILINEAR), (500, 375), (96, 64), channels, box=box))
    for size, to in FITTED:
        one = image(*size, channels)
        colour = (255, 128, 0) if channels == 3 else 77
        cropped.append(case(filled(one, to), size, to, channels))
        padded.append(case(ImageOps.pad(one, to, BILINEAR, colour), size, to, channels))
    for size in ((500, 375), (375, 500), (333, 500), (257, 256), (100, 101)):
        made = image(*size, channels).resize(short_side(size, 256), BILINEAR)
        short.append(case(centre(made, (224, 224)), size, (224, 224), channels, side=256))

golden = {"pillow": PIL.__version__, "stretch": stretched, "box": boxes, "crop": cropped, "pad": padded,
          "short": short}
lines = [f'"pillow": "{PIL.__version__}"']
for name in ("stretch", "box", "crop", "pad", "short"):
    rows = ",\n".join("  " + json.dumps(row) for row in golden[name])
    lines.append(f'"{name}": [\n{rows}\n]')
path = pathlib.Path(__file__).parent / "resize.json"
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
