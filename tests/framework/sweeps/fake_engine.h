#pragma once

#include <fmt/format.h>

#include "framework/config/fields.h"
#include "framework/engine/engine.h"

namespace vitrine {

// The options of what FakeEngine resolves.
struct FakeConfig {
  std::string name = "fake", note;
  int64_t seed = 0, hidden_d = 8, n_heads = 2;
  double lr = 0.1;
  std::vector<double> betas = {0.9, 0.99};

  void visit(Fields& field) {
    field("name", name, "");
    field("note", note, "");
    field("seed", seed, "");
    field("hidden_d", hidden_d, "");
    field("n_heads", n_heads, "");
    field("lr", lr, "", at_least(0));
    field("betas", betas, "");
  }
};

// Reads configs as the engine does, and builds nothing.
class FakeEngine : public Engine {
 public:
  std::shared_ptr<const ResolvedConfig> resolve(const Node& written, const std::string& file,
                                                const Problems::KeyLister&, bool) override {
    FakeConfig config, untouched;
    Problems problems;
    read_fields(fields_of(config), written, "", problems);
    if (!problems.empty()) throw ConfigError(problems, file, false);
    if (config.n_heads < 1 || config.hidden_d % config.n_heads != 0) {
      problems.add({}, fmt::format("hidden_d ({}) must be divisible by n_heads ({})",
                                   config.hidden_d, config.n_heads));
      throw ConfigError(problems, file, true);
    }
    auto out = std::make_shared<ResolvedConfig>();
    out->written = written;
    out->resolved = write_fields(fields_of(config));
    out->keys = keys_of(fields_of(config), fields_of(untouched));
    out->device = "cpu";
    out->metrics = {{"validation/accuracy", {"max", "fraction"}},
                    {"validation/loss", {"min", "nats"}},
                    {"train/loss", {"min", "nats"}}};
    out->best_by = "validation/accuracy";
    return out;
  }
  KnownKeys known_keys(const Node&) override { return {}; }
  nlohmann::ordered_json schema() override {
    FakeConfig config;
    return schema_of_fields(fields_of(config));
  }
  Workload workload(const std::shared_ptr<const ResolvedConfig>&) override {
    return {10, 10, 40, 10, 30, true};
  }
  void pack(const std::shared_ptr<const ResolvedConfig>&, const std::filesystem::path&,
            Observer&) override {
    throw std::logic_error("not used");
  }
  void set_threads(int64_t) override {}
  int64_t devices(const std::string&) override { return 0; }

  std::shared_ptr<const ResolvedConfig> resolve(const ConfigSource&) override { return {}; }
  TrainResult train(const TrainRequest&, Observer&) override { return {}; }
  std::shared_ptr<const ResolvedConfig> resolve_resumed(const std::filesystem::path&,
                                                        const ConfigSource&) override {
    return {};
  }
  std::shared_ptr<const ResolvedConfig> resolve_tested(
      const ConfigSource&, const std::optional<WeightsSource>&) override {
    return {};
  }
  nlohmann::ordered_json test(const std::shared_ptr<const ResolvedConfig>&,
                              const std::optional<WeightsSource>&, Observer&,
                              const std::filesystem::path&) override {
    return {};
  }
  std::optional<DataView> look_at_data(const std::shared_ptr<const ResolvedConfig>&, bool,
                                       Observer&) override {
    return {};
  }
  nlohmann::ordered_json predict(const PredictRequest&, Observer&) override { return {}; }
  nlohmann::ordered_json summarize(const std::shared_ptr<const ResolvedConfig>&) override {
    return {};
  }
  bool load_data(const std::shared_ptr<const ResolvedConfig>&, Observer&) override { return true; }
  double time_step(const std::shared_ptr<const ResolvedConfig>&) override { return 1; }
  void export_weights(const WeightsSource&, const std::filesystem::path&,
                      const std::string&) override {}
  std::string export_onnx(const WeightsSource&, const std::filesystem::path&,
                          const OnnxOptions&) override {
    return {};
  }
  Picture plot(const std::string&, Node, const std::optional<WeightsSource>&, Observer&) override {
    return {};
  }
};

}  // namespace vitrine
