#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "framework/model/layout.h"
#include "framework/model/model.h"
#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

std::vector<std::string> names_of(const Model& model, const std::vector<std::string>& patterns) {
  std::vector<std::string> out;
  for (const auto& item : model.named_parameters()) {
    if (fits_any(item.key(), patterns)) out.push_back(item.key());
  }
  return out;
}

// Of those that fit `patterns`, the ones that are frozen.
std::vector<std::string> frozen_names(const std::vector<std::string>& patterns,
                                      const CallbackContext& context) {
  std::vector<std::string> out = names_of(*context.model, patterns);
  std::erase_if(out, [&](const std::string& name) { return !fits_any(name, context.frozen); });
  return out;
}

struct Options {
  std::vector<std::string> modules;
  int64_t epoch = 2;

  void visit(Fields& field) {
    field("modules", modules, "patterns of frozen parameters, such as blocks.3.*")
        .words({"layers", "parameters", "names", "patterns"});
    field("epoch", epoch, "the first epoch that trains them", at_least(2))
        .words({"from", "start", "at", "from_epoch", "unfreeze_at_epoch"});
  }

  void check(const CallbackContext& context, Check& check) const {
    if (modules.empty())
      return check.error({"modules"}, "modules: which frozen parameters, such as [blocks.3.*]?");
    if (context.epochs > 0 && epoch > context.epochs) {
      check.error({"epoch"}, fmt::format("epoch ({}) lies beyond the run, which has {}", epoch,
                                         context.epochs));
    }
    for (const std::string& pattern : modules) check_pattern(pattern, context, check);
  }

 private:
  static void check_pattern(const std::string& pattern, const CallbackContext& context,
                            Check& check) {
    if (context.frozen.empty()) {
      return check.error({"modules"}, "nothing is frozen: model.weights.freeze says what is");
    }
    if (names_of(*context.model, {pattern}).empty()) {
      return check.error({"modules"},
                         fmt::format("\"{}\" fits no parameter; frozen are {}", escape(pattern),
                                     fmt::join(context.frozen, ", ")));
    }
    if (!frozen_names({pattern}, context).empty()) return;
    check.error({"modules"}, fmt::format("\"{}\" names what is not frozen; frozen are {}",
                                         escape(pattern), fmt::join(context.frozen, ", ")));
  }
};

// Trains parts of a frozen model from an epoch on (gradual unfreezing; Howard and Ruder,
// arXiv:1801.06146).
class Unfreeze : public Callback {
 public:
  Unfreeze(const Options& options, const CallbackContext& context)
      : names_(frozen_names(options.modules, context)), epoch_(options.epoch) {}

  std::vector<std::string> trained_later() const override { return names_; }
  void resumed(const RunView& run) override { begin_if_due(run); }
  void epoch(const RunView& run) override { begin_if_due(run); }

 private:
  void begin_if_due(const RunView& run) const {
    if (run.epoch + 1 < epoch_) return;
    for (auto& item : run.model.named_parameters()) {
      if (std::find(names_.begin(), names_.end(), item.key()) != names_.end())
        item.value().set_requires_grad(true);
    }
  }

  std::vector<std::string> names_;
  int64_t epoch_;  // counted from 1
};

VITRINE_REGISTER(Callback, Unfreeze, Options, "trains parts of a frozen model from an epoch on")

}  // namespace
}  // namespace vitrine
