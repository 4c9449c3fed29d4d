#include "framework/training/callbacks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "framework/data/splits.h"
#include "framework/model/model.h"
#include "framework/model/without_trace.h"
#include "framework/training/workload.h"

namespace vitrine {
namespace {

using Choices = std::vector<Choice<Callback>>;

// A callback that a key of `training` is short for.
Choice<Callback> made_of(const char* type, Node options, const std::string& path) {
  options.set("type", Node::string(type));
  Problems none;
  Choice<Callback> out;
  out.read(options, path, none);
  return out;
}

// As the user wrote it, where there is something; else as it is.
Node options_of(const Node& written, const std::string& path, Node values) {
  const Node* node = written.at_path(path);
  return node && node->is_mapping() ? *node : std::move(values);
}

Choices choices_of(const Config& config, const Node& written) {
  Choices out;
  if (const auto& decay = config.training.ema_decay) {
    Node options = Node::mapping();
    options.set("decay", Node::plain(fmt::format("{}", *decay)));
    out.push_back(made_of("weight_average", std::move(options), "training.ema_decay"));
  }
  if (auto stopping = config.training.early_stopping) {
    const std::string path = "training.early_stopping";
    out.push_back(made_of("early_stopping",
                          options_of(written, path, write_fields(fields_of(*stopping))), path));
  }
  out.insert(out.end(), config.callbacks.begin(), config.callbacks.end());
  return out;
}

// Of a list the second of two that are alike.
template <class Kind>
void refuse_twins(const std::vector<Choice<Kind>>& list, Problems& problems, auto&& name_of) {
  std::set<std::string> seen;
  for (const auto& choice : list) {
    if (seen.insert(name_of(choice)).second) continue;
    problems.add(choice.node().location,
                 fmt::format("{}: {} stands there twice", choice.path(), choice.type()));
  }
}

// What several callbacks do to the same weights.
void check_together(const Choices& choices, const CallbackContext& context, Problems& problems) {
  std::map<std::string, std::string> later;  // parameter -> path
  std::string replaces;
  for (const auto& choice : choices) {
    const auto callback = choice.create(context);
    const auto refuse = [&](const std::string& message) {
      problems.add(choice.node().location, choice.path() + ": " + message);
    };
    if (callback->replaces_weights() && !replaces.empty())
      refuse(fmt::format("{} already says what is tested in place of the weights", replaces));
    if (callback->replaces_weights()) replaces = choice.path();
    for (const std::string& name : callback->trained_later()) {
      const auto [known, is_new] = later.emplace(name, choice.path());
      if (is_new) continue;
      refuse(fmt::format("{} is trained later by {} already", name, known->second));
      break;
    }
  }
}

}  // namespace

CallbackContext callback_context(const Config& config, std::shared_ptr<const Model> model,
                                 std::map<std::string, MetricInfo> metrics,
                                 const DatasetInfo& info) {
  CallbackContext out;
  out.model = std::move(model);
  out.frozen = config.model_options().weights.freeze;
  out.metrics = std::move(metrics);
  out.validates = validates(config.dataset_options(), info);
  out.epochs = config.training.epochs;
  out.steps = total_steps(config.training, training_images(config.dataset_options(), info));
  return out;
}

void check_callbacks(const Config& config, const Node& written, const CallbackContext& context,
                     Problems& problems) {
  const size_t before = problems.size();
  const Choices choices = choices_of(config, written);
  for (const auto& choice : choices) choice.check(context, problems);
  for (const auto& logger : config.loggers) logger.check(context, problems);
  refuse_twins(config.callbacks, problems,
               [](const auto& choice) { return to_flow_yaml(choice.write()); });
  refuse_twins(config.loggers, problems, [](const auto& choice) { return choice.type(); });
  if (problems.size() == before) check_together(choices, context, problems);
}

std::vector<PlacedCallback> make_callbacks(const Config& config, const CallbackContext& context) {
  std::vector<PlacedCallback> out;
  for (const auto& choice : choices_of(config, Node::mapping()))
    out.push_back({choice.path(), choice.create(context)});
  return out;
}

namespace {

// Puts the model back into its mode, and throws, where somebody has left it in the other one:
// without dropout, say, the run would train something else from then on.
void require_mode(Model& model, bool is_training) {
  if (model.is_training() == is_training) return;
  model.train(is_training);
  throw std::logic_error(
      fmt::format("it leaves the model in {} mode", is_training ? "evaluation" : "training"));
}

}  // namespace

void Callbacks::call(Hook hook, const RunView& view) {
  for (const PlacedCallback& placed : callbacks_) {
    const bool was_training = view.model.is_training();
    in_component(placed.callback->component(), hook.name, [&] {
      (*placed.callback.*hook.function)(view);
      require_mode(view.model, was_training);
    });
  }
  if (loggers_.empty()) return;
  read_only(hook.name, [&](Logger& logger) {
    const bool was_training = view.model.is_training();
    (logger.*hook.function)(view);
    require_mode(view.model, was_training);
  });
}

void Callbacks::row(const RunView& view) {
  if (!loggers_.empty()) read_only("row", [&](Logger& logger) { logger.row(view); });
}

// One that fails is done without from then on. What one draws is drawn by nobody else.
void Callbacks::read_only(const char* phase, const std::function<void(Logger&)>& act) {
  const WithoutTrace without_trace{Modules()};
  std::erase_if(loggers_, [&](const std::shared_ptr<Logger>& logger) {
    try {
      in_component(logger->component(), phase, [&] { act(*logger); });
      return false;
    } catch (const std::exception& error) {
      log_.warning(
          fmt::format("loggers: {}: {}; the run goes on without it", logger->type(), error.what()));
      return true;
    }
  });
}

Callbacks::End Callbacks::ending(const RunView& view) const {
  for (const PlacedCallback& placed : callbacks_) {
    std::string reason = in_component(placed.callback->component(), "reason_to_end",
                                      [&] { return placed.callback->reason_to_end(view); });
    if (!reason.empty()) return {placed.callback->type(), std::move(reason)};
  }
  return {};
}

Tensor Callbacks::tested_weights() {
  for (const PlacedCallback& placed : callbacks_) {
    if (Tensor weights = placed.callback->tested_weights(); weights.defined()) return weights;
  }
  return {};
}

std::map<std::string, Tensor> Callbacks::tested_buffers() {
  for (const PlacedCallback& placed : callbacks_) {
    if (placed.callback->tested_weights().defined()) return placed.callback->tested_buffers();
  }
  return {};
}

}  // namespace vitrine
