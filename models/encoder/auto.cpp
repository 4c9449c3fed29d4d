#include <fmt/format.h>

#include "framework/registry/register.h"
#include "models/parts.h"

namespace vitrine {
namespace {

constexpr const char* kFallback = "layers";

// Takes the first other encoder whose check finds nothing against this model, else `layers`. An
// encoder without a check makes no such promise and is only taken by name.
class AutoEncoder : public Encoder {
 public:
  AutoEncoder(const NoOptions&, const EncoderContext& context) {
    std::string refusals;
    for (const std::string& name : candidates()) {
      Problems refused;
      chosen_ = make(name, context, refused);
      if (chosen_) {
        reason_ = fmt::format("{} serves this model, and is faster than {}", name, kFallback);
        return;
      }
      for (const std::string& message : refused.messages())
        refusals += (refusals.empty() ? "" : "; ") + message;
    }
    Problems none;
    chosen_ = make(kFallback, context, none);
    reason_ = refusals.empty() ? "there is no faster encoder" : refusals;
  }

  Tensor forward(const Tensor& images) override { return chosen_->forward(images); }
  std::string name() const override { return chosen_->name(); }
  std::string reason() const override { return reason_; }
  bool has_own_threads() const override { return chosen_->has_own_threads(); }

 private:
  static std::vector<std::string> candidates() {
    std::vector<std::string> out;
    for (const std::string& name : Registry::instance().names(kKind)) {
      if (Registry::instance().find(kKind, name)->check) out.push_back(name);
    }
    return out;
  }

  static std::shared_ptr<Encoder> make(const std::string& name, const EncoderContext& context,
                                       Problems& refused) {
    Choice<Encoder> choice(name);
    choice.read_default("", refused);
    choice.check(context, refused);
    return refused.empty() ? choice.create(context) : nullptr;
  }

  std::shared_ptr<Encoder> chosen_;
  std::string reason_;
};

VITRINE_REGISTER(Encoder, AutoEncoder, NoOptions,
                 "the fastest encoder that serves the model on its device")

}  // namespace
}  // namespace vitrine
