#include "framework/model/part.h"

namespace vitrine {

Part::Part() = default;
Part::~Part() = default;

Value Part::operator()(const Value& x) {
  const Scope scope(name_in_parent_, type_);
  return forward(x);
}

void adopt(torch::nn::Module& parent, const std::string& name, Part& part,
           std::shared_ptr<torch::nn::Module> owned) {
  part.set_name(name);
  parent.register_module(name, std::move(owned));
}

Linear::Linear(int64_t in, int64_t out, bool has_bias) {
  const torch::nn::Linear linear(torch::nn::LinearOptions(in, out).bias(has_bias));
  weight_ = register_parameter("weight", linear->weight);
  if (has_bias) bias_ = register_parameter("bias", linear->bias);
}
Linear::~Linear() = default;

Value Linear::forward(const Value& x) { return linear(x, weight_, bias_); }

}  // namespace vitrine
