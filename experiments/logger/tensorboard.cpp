#include "framework/runs/tensorboard.h"

#include "framework/config/node.h"
#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

// Writes event files into the run's folder tensorboard.
class TensorBoard : public Logger {
 public:
  TensorBoard(const NoOptions&, const CallbackContext&) {}

  void started(const RunView& run) override { open(run, {}); }
  void resumed(const RunView& run) override {
    open(run, TensorBoardFiles::Kept{run.row_step, run.step - run.step_in_epoch});
  }
  void row(const RunView& run) override { files_->row(seconds_now(), run.values); }

  void epoch(const RunView& run) override {
    EventValues out;
    add("weights/", run.parameters, run.parameters.values(), out);
    add("gradients/", run.parameters, run.parameters.gradients(), out);
    files_->write(seconds_now(), run.step, out);
  }

  void finished(const RunView& run) override {
    files_->finish(seconds_now(), run.metrics, run.test, run.folder.location());
  }

 private:
  void open(const RunView& run, const std::optional<TensorBoardFiles::Kept>& kept) {
    files_.emplace(run.folder / "tensorboard", seconds_now(), run.metrics,
                   to_yaml(Node::from_json(run.metrics.config)), kept);
  }

  // Histograms of `flat`, a parameter each.
  static void add(const std::string& prefix, const FlatParameters& parameters, const Tensor& flat,
                  EventValues& out) {
    const Tensor here = flat.detach().cpu();
    for (const auto& [name, view] : parameters.by_name(here)) {
      out.histogram(prefix + name,
                    Histogram::of(view.const_data_ptr<float>(), static_cast<size_t>(view.numel())));
    }
  }

  std::optional<TensorBoardFiles> files_;
};

VITRINE_REGISTER(Logger, TensorBoard, NoOptions,
                 "event files for TensorBoard: curves, histograms, config, images, hyperparameters")

}  // namespace
}  // namespace vitrine
