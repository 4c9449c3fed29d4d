#include "framework/config/yaml.h"
#include "framework/denormals.h"
#include "framework/engine/engine.h"
#include "framework/training/config.h"
#include "framework/training/data_view.h"
#include "framework/training/devices.h"
#include "framework/training/inspect.h"
#include "framework/training/pack.h"
#include "framework/training/setup.h"
#include "framework/training/threads.h"
#include "framework/training/training.h"
#include "framework/training/weights_file.h"
#include "framework/training/workload.h"

namespace vitrine {
namespace {

class TorchEngine : public Engine {
 public:
  std::shared_ptr<const ResolvedConfig> resolve(const ConfigSource& source) override {
    return vitrine::resolve(load_config(source, vitrine::known_keys), shown_config(source.file));
  }
  std::shared_ptr<const ResolvedConfig> resolve(const Node& written, const std::string& file,
                                                const Problems::KeyLister& also_known,
                                                bool elsewhere) override {
    return vitrine::resolve(written, file, /*loads_weights=*/true, {}, also_known, elsewhere);
  }
  KnownKeys known_keys(const Node& written) override { return vitrine::known_keys(written); }
  void set_threads(int64_t threads) override { set_compute_threads(threads); }
  TrainResult train(const TrainRequest& request, Observer& observer) override {
    return vitrine::train(request, observer);
  }
  std::shared_ptr<const ResolvedConfig> resolve_resumed(const std::filesystem::path& run,
                                                        const ConfigSource& source) override {
    return vitrine::resolve_resumed(run, source);
  }
  std::shared_ptr<const ResolvedConfig> resolve_tested(
      const ConfigSource& source, const std::optional<WeightsSource>& weights) override {
    return vitrine::resolve_tested(source, weights);
  }
  nlohmann::ordered_json test(const std::shared_ptr<const ResolvedConfig>& config,
                              const std::optional<WeightsSource>& weights, Observer& observer,
                              const std::filesystem::path& predictions) override {
    return vitrine::test(config, weights, observer, predictions);
  }
  nlohmann::ordered_json predict(const PredictRequest& request, Observer& observer) override {
    return vitrine::predict(request, observer);
  }
  nlohmann::ordered_json summarize(const std::shared_ptr<const ResolvedConfig>& config) override {
    return vitrine::summarize(config);
  }
  bool load_data(const std::shared_ptr<const ResolvedConfig>& config, Observer& observer) override {
    if (config->config->loads_weights)
      fetch_weights(config->config->model_options().weights, observer);
    return load_unless_stopped(*config->config, observer).has_value();
  }
  std::optional<DataView> look_at_data(const std::shared_ptr<const ResolvedConfig>& config,
                                       bool shows, Observer& observer) override {
    return vitrine::look_at_data(*config->config, shows, observer);
  }
  void pack(const std::shared_ptr<const ResolvedConfig>& config, const std::filesystem::path& file,
            Observer& observer) override {
    vitrine::pack(*config->config, file, observer);
  }
  Workload workload(const std::shared_ptr<const ResolvedConfig>& config) override {
    return vitrine::workload(*config->config);
  }
  double time_step(const std::shared_ptr<const ResolvedConfig>& config) override {
    return vitrine::time_step(*config->config);
  }
  int64_t devices(const std::string& device) override {
    return device == "cuda" ? cuda_devices() : 1;
  }
  void export_weights(const WeightsSource& weights, const std::filesystem::path& file,
                      const std::string& layout) override {
    vitrine::export_weights(weights, file, layout);
  }
  std::string export_onnx(const WeightsSource& weights, const std::filesystem::path& file,
                          const OnnxOptions& options) override {
    return vitrine::export_onnx(weights, file, options);
  }
  Picture plot(const std::string& name, Node options, const std::optional<WeightsSource>& weights,
               Observer& observer) override {
    return vitrine::plot(name, std::move(options), weights, observer);
  }
  nlohmann::ordered_json schema() override {
    Config config;
    Problems problems;
    const Fields fields = fields_of(config);
    read_fields(fields, Node::mapping(), "", problems);
    nlohmann::ordered_json out = schema_of_fields(fields);
    out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    out["title"] = "Vitrine config";
    return out;
  }
};

TorchEngine torch_engine;

bool provide() {
  flush_denormals();  // whoever loads the engine starts the threads that compute with it
  provide_engine(torch_engine);
  return true;
}
[[maybe_unused]] const bool provided = provide();

}  // namespace
}  // namespace vitrine
