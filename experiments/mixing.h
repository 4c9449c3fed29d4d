#pragma once

#include "framework/training/mix.h"

// The ways to mix, as timm has them: each image of a batch has the one at the same place from the
// end as its partner, and all have the same share.
namespace vitrine {

// Of Beta(alpha, alpha), 0 to 1.
double drawn_share(double alpha, Draws& draws);

// Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization". Bytes stay bytes, rounded.
Mix::Mixed mixup(const Tensor& images, double share);
// Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
// Features": a rectangle of the partner around (row, column), cut off at the image's edges, with
// 1 - share of the area. The shares are those of what it covers.
Mix::Mixed cutmix(const Tensor& images, double share, int64_t row, int64_t column);

}  // namespace vitrine
