#include "framework/model/value.h"

namespace vitrine {
namespace {

Tensor table_form(const TorchCall& call) {
  const Tensor& rows = call.parameters[0];
  return rows.reshape({-1, rows.size(-1)}).narrow(0, call.count(0), call.count(1)).unsqueeze(0);
}

VITRINE_TORCH_FORM(table, table_form)

}  // namespace
}  // namespace vitrine
