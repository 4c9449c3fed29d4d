"""Runs models that Vitrine trained (model.safetensors), by the library libvitrine_infer; see docs/inference.md.

    import numpy, vitrine_infer
    model = vitrine_infer.Model("runs/vit_digits/latest/model.safetensors")
    images = numpy.zeros((1, *model.image), numpy.uint8)
    print(model.classes(images))
"""
import ctypes
import os
import pathlib

import numpy

__all__ = ["Error", "Model", "Task", "version"]

_LIBRARY = "libvitrine_infer.so.0"
_KINDS = ("classes", "labels", "values")


class Error(RuntimeError):
    """A file that cannot be run, or images that do not fit the model, in the library's words."""


class Task:
    """One thing that a model answers: its name, kind ("classes", "labels" or "values"), the names of its outputs, and their place among
    those of all tasks."""

    def __init__(self, name, kind, names, first):
        self.name, self.kind, self.names = name, kind, names
        self.columns = slice(first, first + len(names))


def _load():
    # Named by the user, beside this file, in a checkout that this file lies in, or where the system looks.
    here = pathlib.Path(__file__).resolve().parent
    named = os.environ.get("VITRINE_INFER_LIBRARY")
    places = [named] if named else [here / _LIBRARY, here.parent / "build/release" / _LIBRARY]
    found = [place for place in places if named or os.path.exists(place)]
    try:
        library = ctypes.CDLL(str(found[0]) if found else _LIBRARY)
    except OSError as error:
        raise ImportError(f"{_LIBRARY} was not found: {error}; VITRINE_INFER_LIBRARY names it") from None
    model, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for name, result, arguments in (
            ("error", ctypes.c_char_p, []), ("version", ctypes.c_char_p, []), ("load", model, [ctypes.c_char_p]),
            ("load_bytes", model, [ctypes.c_char_p, size]), ("free", None, [model]), ("image", size, [model, size]),
            ("tasks", size, [model]), ("task_name", ctypes.c_char_p, [model, size]), ("task_kind", number, [model, size]),
            ("task_outputs", size, [model, size]), ("output_name", ctypes.c_char_p, [model, size, size]),
            ("outputs", size, [model]),
            ("run", number, [model, ctypes.c_void_p, number, size, size, number, number, ctypes.c_void_p])):
        function = getattr(library, "vitrine_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


def version():
    """That of the library."""
    return _library.vitrine_version().decode()


def _failure():
    return Error(_library.vitrine_error().decode(errors="replace"))


class Model:
    """A model, read from a path or from bytes. Any number of threads may use one."""

    def __init__(self, file):
        self._model = None
        if isinstance(file, (bytes, bytearray, memoryview)):
            data = bytes(file)
            self._model = _library.vitrine_load_bytes(data, len(data))
        else:
            self._model = _library.vitrine_load(os.fsencode(file))
        if not self._model:
            raise _failure()
        self.image = tuple(_library.vitrine_image(self._model, axis) for axis in range(3))  # channels, height, width
        self.tasks, first = [], 0
        for task in range(_library.vitrine_tasks(self._model)):
            names = [_library.vitrine_output_name(self._model, task, output).decode()
                     for output in range(_library.vitrine_task_outputs(self._model, task))]
            self.tasks.append(Task(_library.vitrine_task_name(self._model, task).decode(),
                                   _KINDS[_library.vitrine_task_kind(self._model, task)], names, first))
            first += len(names)

    def __del__(self):
        if self._model:
            _library.vitrine_free(self._model)
            self._model = None

    def run(self, images, raw=False, threads=1):
        """Of images [n, channels, height, width] (or a single one), uint8 0 to 255 or floats 0 to 1, the outputs of all tasks
        [n, outputs]: probabilities of classes and labels, and values; with `raw` what the model's heads give."""
        images = numpy.asarray(images)
        if images.dtype != numpy.uint8:
            if images.dtype.kind != "f":
                raise Error(f"images of {images.dtype}: uint8 (0 to 255) or floats (0 to 1)")
            images = images.astype(numpy.float32)
        if images.ndim == len(self.image):
            images = images[None]
        if images.shape[1:] != self.image:
            raise Error(f"images of shape {images.shape}: the model takes (n, {', '.join(map(str, self.image))})")
        images = numpy.ascontiguousarray(images)
        out = numpy.empty((len(images), _library.vitrine_outputs(self._model)), numpy.float32)
        failed = _library.vitrine_run(self._model, images.ctypes.data, int(images.dtype != numpy.uint8), len(images),
                                      int(numpy.prod(self.image)), int(not raw), threads, out.ctypes.data)
        if failed:
            raise _failure()
        return out

    def classes(self, images, task=0, threads=1):
        """The name of the class with the highest output, of each image."""
        of = self.tasks[task]
        return [of.names[best] for best in self.run(images, raw=True, threads=threads)[:, of.columns].argmax(1)]
