"""ViT-Ti of 224 px, one image after the other, on one core in ONNX Runtime; PyTorch exports it.

    python onnx_vit.py [IMAGES]

Prints one JSON line: the median seconds of an image. Needs the packages onnxruntime, onnx and onnxscript.
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch

import torch_models


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=100)
    options = parser.parse_args()
    shape = argparse.Namespace(hidden_d=192, n_heads=3, n_blocks=12, n_patches=14, channels=3, side=224, mlp="gelu", norm="layer",
                               block="pre_norm", stem=False, dropout=0, drop_path=0, layer_scale=0)
    torch.manual_seed(0)
    model = torch_models.Vit(shape).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "vit.onnx"
        torch.onnx.export(model, (torch.rand(1, 3, 224, 224),), str(file), input_names=["images"], dynamo=True, verbose=False)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    image, seconds = numpy.random.default_rng(0).random((1, 3, 224, 224), numpy.float32), []
    for _ in range(options.images + 3):
        start = time.perf_counter()
        session.run(None, {"images": image})
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": statistics.median(seconds[3:])}))


if __name__ == "__main__":
    sys.exit(main())
