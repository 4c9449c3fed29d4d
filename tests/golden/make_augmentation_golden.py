#!/usr/bin/env python3
"""Writes augmentation.json: what torchvision (0.28.0, on images of Pillow 12.3.0) and timm (1.0.31) make of images.

operations: of an operation, its arguments and an image the SHA-256 of the pixels.
transforms: of a transform, as a config has it, how many different images it can make of one, and the SHA-256 of their SHA-256s,
sorted, a line each.
mixes: what timm's mixup and cutmix make of a batch where the share and the middle of the rectangle are fixed.
"""
import hashlib
import itertools
import json
import os
import sys

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from torchvision.transforms import InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

WIDTH, HEIGHT = 20, 14
FILL = (7, 130, 251)


def pixels(channels, width=WIDTH, height=HEIGHT):
    """Waves with some noise; the tests make the same."""
    out = np.zeros((height, width, channels), np.uint8)
    for y, x, c in itertools.product(range(height), range(width), range(channels)):
        i = (y * width + x) * channels + c
        out[y, x, c] = (20 + x * 9 + (y * y) // 2 + c * 40 + (i * i * 31 + i * 17) % 23) % 256
    return out


def image(channels):
    array = pixels(channels)
    return Image.fromarray(array[..., 0] if channels == 1 else array)


def sha256(picture):
    return hashlib.sha256(np.ascontiguousarray(np.asarray(picture)).tobytes()).hexdigest()


def grey(picture):
    return F.to_grayscale(picture, len(picture.getbands()))


def blur(picture, radius):
    return picture.filter(ImageFilter.GaussianBlur(radius))


def operations():
    for channels in (1, 3):
        picture = image(channels)
        fill = list(FILL[:channels])

        def moved(name, magnitude):
            return _apply_op(picture, name, magnitude, InterpolationMode.NEAREST, fill)

        cases = [("to_grey", [], grey(picture)), ("autocontrast", [], F.autocontrast(picture)),
                 ("equalize", [], F.equalize(picture)), ("flip_horizontally", [], F.hflip(picture)),
                 ("flip_vertically", [], F.vflip(picture))]
        for factor in (0, 0.35, 1, 1.4, 3.3):
            cases += [("adjust_brightness", [factor], F.adjust_brightness(picture, factor)),
                      ("adjust_contrast", [factor], F.adjust_contrast(picture, factor)),
                      ("adjust_saturation", [factor], F.adjust_saturation(picture, factor)),
                      ("adjust_sharpness", [factor], F.adjust_sharpness(picture, factor))]
        cases += [("adjust_hue", [turn], F.adjust_hue(picture, turn)) for turn in (-0.5, -0.31, 0, 0.07, 0.25)]
        cases += [("posterize", [bits], F.posterize(picture, bits)) for bits in (1, 4, 8)]
        cases += [("solarize", [start], F.solarize(picture, start)) for start in (255, 127.5, 0)]
        cases += [("gaussian_blur", [radius], blur(picture, radius)) for radius in (0, 0.1, 0.9, 2, 30)]
        for slope in (-0.99, -0.03, 0, 0.3):
            cases += [("shear_x", [slope], moved("ShearX", slope)), ("shear_y", [slope], moved("ShearY", slope))]
        for shift in (-25, -3, 0, 4):
            cases += [("translate", [shift, 0], moved("TranslateX", shift)),
                      ("translate", [0, shift], moved("TranslateY", shift))]
        cases += [("rotate", [turn], moved("Rotate", turn)) for turn in (-135, -90, -27, 0, 9, 90, 180)]
        for name, arguments, made in cases:
            yield {"operation": name, "arguments": arguments, "channels": channels, "sha256": sha256(made)}


def crops(picture, padding, **how):
    padded = F.pad(picture, padding, **how)
    for y, x in itertools.product(range(padded.height - HEIGHT + 1), range(padded.width - WIDTH + 1)):
        yield F.crop(padded, y, x, HEIGHT, WIDTH)


def resized_crops(picture, width, height):
    for y, x in itertools.product(range(HEIGHT - height + 1), range(WIDTH - width + 1)):
        yield F.resized_crop(picture, y, x, height, width, [HEIGHT, WIDTH], InterpolationMode.BILINEAR)


def erased(picture, width, height, value):
    planes = F.pil_to_tensor(picture)
    yield picture
    for y, x in itertools.product(range(HEIGHT - height + 1), range(WIDTH - width + 1)):
        values = torch.tensor(value, dtype=torch.uint8)[:, None, None]
        yield F.erase(planes, y, x, height, width, values).permute(1, 2, 0).numpy()


def jittered(picture, changes):
    for order in itertools.permutations(changes):
        out = picture
        for function, factor in order:
            out = function(out, factor)
        yield out


def augmented(picture, space, magnitudes):
    for name, (values, signed) in space.items():
        chosen = [float(values[m]) for m in magnitudes] if values.ndim > 0 else [0.0]
        for value, sign in itertools.product(chosen, (1, -1) if signed else (1,)):
            yield _apply_op(picture, name, sign * value, InterpolationMode.NEAREST, list(FILL[:len(picture.getbands())]))


def transforms():
    three = "fill: [7, 130, 251]"
    rgb, one = image(3), image(1)
    jitter = [(F.adjust_brightness, 1.3), (F.adjust_contrast, 0.7), (F.adjust_saturation, 1.6), (F.adjust_hue, 0.1)]
    rand, trivial = RandAugment()._augmentation_space(31, (HEIGHT, WIDTH)), TrivialAugmentWide()._augmentation_space(5)
    for channels, config, made in [
        (3, "flip", [rgb, F.hflip(rgb)]),
        (1, "{type: flip, direction: vertical}", [one, F.vflip(one)]),
        (3, "{type: grayscale, p: 0.5}", [rgb, grey(rgb)]),
        (3, "{type: random_crop, padding: 2, %s}" % three, crops(rgb, 2, fill=FILL)),
        (1, "{type: random_crop, padding: [1, 3], padding_mode: edge}", crops(one, [1, 3], padding_mode="edge")),
        (3, "{type: random_crop, padding: [0, 1, 2, 3], padding_mode: reflect}",
         crops(rgb, [0, 1, 2, 3], padding_mode="reflect")),
        (3, "{type: random_crop, padding: 2, padding_mode: symmetric}", crops(rgb, 2, padding_mode="symmetric")),
        (3, "{type: random_resized_crop, scale: [0.5, 0.5], ratio: [1, 1]}", resized_crops(rgb, 12, 12)),
        (1, "{type: random_resized_crop, scale: [0.5, 0.5], ratio: [2, 2]}", resized_crops(one, 17, 8)),
        (3, "{type: random_resized_crop, scale: [1, 1], ratio: [5, 5]}", list(resized_crops(rgb, 20, 4))[5:6]),
        (3, "{type: random_resized_crop, scale: [1, 1], ratio: [0.5, 0.5]}", list(resized_crops(rgb, 7, 14))[6:7]),
        (3, "{type: random_erasing, scale: [0.1, 0.1], ratio: [2, 2], value: [7, 130, 251]}", erased(rgb, 4, 7, FILL)),
        (1, "{type: random_erasing, scale: [0.3, 0.3], ratio: [1, 1]}", erased(one, 9, 9, [0])),
        (3, "{type: color_jitter, brightness: [1.3, 1.3], contrast: [0.7, 0.7], saturation: [1.6, 1.6], hue: [0.1, 0.1]}",
         jittered(rgb, jitter)),
        (1, "{type: color_jitter, brightness: [1.3, 1.3], contrast: [0.7, 0.7]}", jittered(one, jitter[:2])),
        (3, "{type: three_augment, radius: [1.3, 1.3]}", [grey(rgb), ImageOps.solarize(rgb), blur(rgb, 1.3)]),
        (1, "{type: three_augment, radius: [1.3, 1.3]}", [one, ImageOps.solarize(one), blur(one, 1.3)]),
        (3, "{type: rand_augment, num_ops: 1, %s}" % three, augmented(rgb, rand, [9])),
        (1, "{type: rand_augment, num_ops: 1, magnitude: 30, fill: 7}", augmented(one, rand, [30])),
        (3, "{type: trivial_augment, num_magnitude_bins: 5, %s}" % three, augmented(rgb, trivial, range(5))),
        (1, "{type: trivial_augment, num_magnitude_bins: 5, fill: 7}", augmented(one, trivial, range(5))),
    ]:
        all_of_them = sorted({sha256(each) for each in made})
        digest = hashlib.sha256("".join(each + "\n" for each in all_of_them).encode()).hexdigest()
        yield {"transform": config, "channels": channels, "images": len(all_of_them), "sha256": digest}


def mixes():
    """Of 5 images, of which image i holds its classes' number; the share is what Beta would give."""
    from timm.data.mixup import Mixup, mixup_target

    batch = torch.from_numpy(np.stack([pixels(3, 10, 8).transpose(2, 0, 1) + i for i in range(5)]).astype(np.uint8))
    labels = torch.tensor([0, 2, 1, 2, 0])
    for share, row, column, is_cut in [(0.3, 0, 0, False), (0.85, 0, 0, False), (0.3, 2, 7, True), (0.6, 7, 0, True)]:
        np.random.beta = lambda *_: share
        places = iter([row, column])
        np.random.randint = lambda low, high, size=None: next(places)
        mixup = Mixup(mixup_alpha=0 if is_cut else 1, cutmix_alpha=1 if is_cut else 0, label_smoothing=0, num_classes=3)
        mixed = batch.float()
        own = mixup._mix_batch(mixed)
        yield {"mix": "cutmix" if is_cut else "mixup", "share": share, "row": row, "column": column,
               "own": own, "sha256": sha256(mixed.round().to(torch.uint8).numpy()),
               "targets": mixup_target(labels, 3, own).tolist()}


def main():
    golden = {"operations": list(operations()), "transforms": list(transforms()), "mixes": list(mixes())}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "augmentation.json")
    with open(path, "w", encoding="utf-8") as file:
        lines = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(each) for each in golden[key]) + "\n ]" for key in golden]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    sys.exit(main())
