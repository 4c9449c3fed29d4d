"""What scikit-learn says of answers, for tests/experiments/metric_test.cpp.

    python make_metrics_golden.py            writes metrics.json beside this file
"""
import json, pathlib
import numpy, sklearn
from sklearn import metrics

random = numpy.random.default_rng(0)


def labels():
    targets = (random.random((40, 4)) < [0.5, 0.2, 0.8, 0]).astype(int)  # the last one is nowhere
    logits = (random.normal(size=(40, 4)) + 1.5 * targets - 0.5).astype(numpy.float32)
    logits[:, 3] = -numpy.abs(logits[:, 3])  # and never an answer
    answers = (logits > 0).astype(int)
    told = [i for i in range(4) if 0 < targets[:, i].sum() < len(targets)]
    mean = dict(average="macro", zero_division=0)
    return {"outputs": logits.tolist(), "targets": targets.tolist(), "metrics": {
        "accuracy": 1 - metrics.hamming_loss(targets, answers),
        "exact_match": metrics.accuracy_score(targets, answers),
        "f1": metrics.f1_score(targets, answers, **mean),
        "precision": metrics.precision_score(targets, answers, **mean),
        "recall": metrics.recall_score(targets, answers, **mean),
        "auroc": metrics.roc_auc_score(targets[:, told], logits[:, told], average="macro")}}


def values(columns, offset):
    targets = (random.normal(size=(30, columns)) * range(1, columns + 1) + offset).astype(numpy.float32)
    outputs = (targets + random.normal(size=targets.shape)).astype(numpy.float32)
    t, o = targets.astype(float), outputs.astype(float)
    return {"outputs": outputs.tolist(), "targets": targets.tolist(), "metrics": {
        "mean_absolute_error": metrics.mean_absolute_error(t, o),
        "mean_squared_error": metrics.mean_squared_error(t, o),
        "root_mean_squared_error": metrics.root_mean_squared_error(t, o),
        "r2": metrics.r2_score(t, o)}}


out = {"versions": {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__},
       "multi_label": [labels(), labels()],
       "regression": [values(1, 0), values(3, 0), values(1, 2000)]}
text = json.dumps(out, indent=1)
(pathlib.Path(__file__).parent / "metrics.json").write_text(text + "\n")
