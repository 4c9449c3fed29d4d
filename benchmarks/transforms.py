#!/usr/bin/env python3
"""Images a second, by the processor's time, of torchvision's transforms on an RGB image of Pillow's, on one core, as benchmarks/transforms.cpp has
ours. Needs torch, torchvision, pillow and numpy."""
import random
import time

import numpy
import torch
from PIL import Image, ImageFilter, ImageOps
from reading import import_torchvision

transforms = import_torchvision().transforms


def blur(image):
    return image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2)))


def smooth(side):
    y, x = numpy.mgrid[:side, :side]
    channels = [(20 + x * 9 + y * y // 2 + c * 40) % 256 for c in range(3)]
    return Image.fromarray(numpy.stack(channels, -1).astype(numpy.uint8))


def images_a_second(transform, image, least=0.4):
    count, begin = 0, time.process_time()
    while (took := time.process_time() - begin) < least:
        for _ in range(20):
            transform(image)
        count += 20
    return count / took


ALL = {
    "random_crop": lambda side: transforms.RandomCrop(side, 4),
    "random_resized_crop": transforms.RandomResizedCrop,
    "flip": lambda side: transforms.RandomHorizontalFlip(),
    "color_jitter": lambda side: transforms.ColorJitter(0.4, 0.4, 0.4),
    "{type: color_jitter, hue: 0.1}": lambda side: transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
    "{type: grayscale, p: 1}": lambda side: transforms.RandomGrayscale(1),
    "{type: random_erasing, p: 1}": lambda side: transforms.Compose([transforms.PILToTensor(), transforms.RandomErasing(1)]),
    "rand_augment": lambda side: transforms.RandAugment(),
    "trivial_augment": lambda side: transforms.TrivialAugmentWide(),
    "three_augment": lambda side: transforms.RandomChoice([transforms.Grayscale(3), ImageOps.solarize, blur]),
}

torch.set_num_threads(1)
for name, make in ALL.items():
    for side in (32, 224):
        print(f"{name}/{side}: {images_a_second(make(side), smooth(side)):.0f}", flush=True)
