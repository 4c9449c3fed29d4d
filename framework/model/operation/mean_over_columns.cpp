#include <ATen/ops/mean.h>

#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor mean_over_columns_form(const TorchCall& call) { return call.inputs[0].mean(2, true); }

VITRINE_TORCH_FORM(mean_over_columns, mean_over_columns_form)

}  // namespace
}  // namespace vitrine
