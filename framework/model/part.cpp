#include "framework/model/part.h"

#include <fmt/format.h>

#include "framework/data/tensor_words.h"

namespace vitrine {

Part::Part() = default;
Part::~Part() = default;

namespace {

std::string shape_of(const Value& x) {
  if (x.is_recorded()) return fmt::format("[{}, {}]", x.tokens(), x.columns());
  return type_and_shape(x.tensor());
}

bool has_type_of(const Value& x, const Value& like) {
  return x.is_recorded() || like.is_recorded() ||
         x.tensor().scalar_type() == like.tensor().scalar_type();
}

// Of as many images as `like`, each [tokens, columns].
bool has_shape(const Value& x, const Value& like, int64_t tokens, int64_t columns) {
  if (!x.is_recorded()) {
    const Tensor& numbers = x.tensor();
    if (!numbers.defined() || numbers.dim() != 3) return false;
    if (!like.is_recorded() && numbers.size(0) != like.tensor().size(0)) return false;
  }
  return x.tokens() == tokens && x.columns() == columns;
}

}  // namespace

Value Part::operator()(const Value& x) {
  const Scope scope(name_in_parent_, type_.empty() ? type() : type_);
  return in("forward", [&] {
    const Value out = forward(x);
    if (keeps_shape()) {
      require(has_shape(out, x, x.tokens(), x.columns()), "forward", [&] {
        return fmt::format("of {} it made {}: it must keep the shape", shape_of(x), shape_of(out));
      });
      require(has_type_of(out, x), "forward", [&] {
        return fmt::format("of {} it made {}: it must keep the type", shape_of(x), shape_of(out));
      });
    }
    return out;
  });
}

Value Part::operator()(const Value& x, int64_t tokens, int64_t columns) {
  const Value out = (*this)(x);
  require(has_shape(out, x, tokens, columns), "forward", [&] {
    return fmt::format("it made {}: of each image it must make [{}, {}]", shape_of(out), tokens,
                       columns);
  });
  return out;
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
