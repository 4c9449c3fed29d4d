#!/usr/bin/env python3
"""Images a second from a folder of JPEG files, decoded, resized and cut to 224 x 224: `runner pack` against
torchvision's DataLoader, in alternation. Needs torch, torchvision, pillow and numpy.
usage: reading.py --runner build/release/runner [--images 1200] [--threads 2] [--repeats 5]"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
from PIL import Image


def import_torchvision():
    """Its operators in C++ are not needed here, and are left out where they were built for another torch."""
    register = torch.library.register_fake
    torch.library.register_fake = lambda name, *rest, **options: lambda function: function
    import torchvision
    torch.library.register_fake = register
    return torchvision


def make_photos(folder, images):
    """Noise of several scales, 256 pixels high, of ten classes."""
    random = numpy.random.default_rng(0)
    for split, count in (("train", images), ("test", 10)):
        for i in range(count):
            place = folder / split / f"class{i % 10}"
            place.mkdir(parents=True, exist_ok=True)
            coarse = random.integers(0, 256, (12, 16, 3), dtype=numpy.uint8)
            width = 256 + int(random.integers(0, 128))
            pixels = numpy.asarray(Image.fromarray(coarse).resize((width, 256), Image.BICUBIC)).astype(int)
            pixels += random.integers(-12, 12, pixels.shape)
            Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(place / f"{i}.jpg", quality=90)


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_vitrine(runner, folder, threads, scratch):
    before, begin = children_seconds(), time.perf_counter()
    subprocess.run([runner, "pack", folder, scratch / "packed.safetensors", "dataset.size=224", f"threads={threads}"],
                   check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin, children_seconds() - before


def time_torchvision(torchvision, folder, workers):
    steps = torchvision.transforms.Compose([torchvision.transforms.Resize(224), torchvision.transforms.CenterCrop(224),
                                            torchvision.transforms.PILToTensor()])
    before, begin = children_seconds(), time.perf_counter()
    data = torchvision.datasets.ImageFolder(folder / "train", steps)
    for images, _ in torch.utils.data.DataLoader(data, batch_size=128, num_workers=workers):
        assert images.shape[1:] == (3, 224, 224)
    return time.perf_counter() - begin, children_seconds() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", default="build/release/runner")
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torchvision = import_torchvision()
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        make_photos(scratch / "photos", options.images)
        times = {"vitrine": [], "torchvision": []}
        for _ in range(options.repeats):
            times["vitrine"].append(time_vitrine(os.path.abspath(options.runner), scratch / "photos", options.threads, scratch))
            times["torchvision"].append(time_torchvision(torchvision, scratch / "photos", options.threads))
        for which, pairs in times.items():
            seconds, cores = (statistics.median(values) for values in zip(*pairs))
            print(f"{which}: {options.images / seconds:.0f} images/s, {1e3 * cores / options.images:.2f} ms of a core each")
        ratios = [b[0] / a[0] for a, b in zip(times["vitrine"], times["torchvision"])]
        print(f"ratio of the times of each pair, median: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
