#pragma once

#include "framework/tensor.h"

// How much features tell of classes, whatever they were learned for.
namespace vitrine {

struct Labelled {
  Tensor features;  // float [N, columns], on the CPU
  Tensor labels;    // int64 [N]

  int64_t size() const { return labels.size(0); }
};

// How many of `asked` are right by a vote of the nearest of `known`, by the cosine between
// features; each votes with exp(cosine / 0.07) (Wu et al. 2018, "Unsupervised feature learning via
// non-parametric instance discrimination").
double right_by_neighbours(const Labelled& known, const Labelled& asked, int64_t neighbours,
                           int64_t classes);

// How many of `asked` are right by a linear classifier that is trained on `known` until it does not
// improve: logistic regression with a small weight decay, on features of mean 0 and deviation 1.
double right_by_linear_probe(const Labelled& known, const Labelled& asked, int64_t classes);

}  // namespace vitrine
