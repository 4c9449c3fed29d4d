#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/training/callback.h"
#include "framework/training/config.h"
#include "framework/training/run_log.h"

namespace vitrine {

// A callback and where the config names it ("callbacks.0", "training.ema_decay").
struct PlacedCallback {
  std::string path;
  std::shared_ptr<Callback> callback;
};

// What a config's callbacks are made for. `metrics`: that its rows tell.
CallbackContext callback_context(const Config& config, std::shared_ptr<const Model> model,
                                 std::map<std::string, MetricInfo> metrics,
                                 const DatasetInfo& info);

// Checks the callbacks and loggers of a config, each and together. `written`: as the user wrote it.
void check_callbacks(const Config& config, const Node& written, const CallbackContext& context,
                     Problems& problems);

// Those of training.ema_decay and training.early_stopping, which are short for them, then the
// list's.
std::vector<PlacedCallback> make_callbacks(const Config& config, const CallbackContext& context);

// The callbacks and loggers of a run under way.
class Callbacks {
 public:
  struct Hook {
    const char* name;
    void (Callback::*function)(const RunView&);
  };
  struct End {
    std::string type, reason;  // of the callback that asks for it; both empty: nobody does
  };

  Callbacks(std::vector<PlacedCallback> callbacks, std::vector<std::shared_ptr<Logger>> loggers,
            RunLog& log)
      : callbacks_(std::move(callbacks)), loggers_(std::move(loggers)), log_(log) {}

  void call(Hook hook, const RunView& view);
  void row(const RunView& view);  // to loggers
  End ending(const RunView& view) const;
  Tensor tested_weights();  // undefined: those of the model
  std::map<std::string, Tensor> tested_buffers();

 private:
  void read_only(const char* phase, const std::function<void(Logger&)>& act);

  std::vector<PlacedCallback> callbacks_;
  std::vector<std::shared_ptr<Logger>> loggers_;
  RunLog& log_;
};

}  // namespace vitrine
