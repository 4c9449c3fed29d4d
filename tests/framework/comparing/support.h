#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/comparing/runs.h"
#include "framework/runs/metrics.h"

namespace vitrine {

// What a small finished run has, for tests to change.
inline Metrics example_run(int64_t seed = 0, double accuracy = 0.5) {
  Metrics metrics;
  metrics.name = "small";
  metrics.run = "20261122-101500-3fa2c1";
  metrics.status = RunStatus::kFinished;
  metrics.started = "2026-11-22T10:15:00Z";
  metrics.finished = "2026-11-22T10:15:04Z";
  metrics.seed = seed;
  metrics.command = {"runner", "small.yaml"};
  metrics.config = {{"name", "small"},
                    {"seed", seed},
                    {"threads", 1},
                    {"backend", "fused"},
                    {"note", ""},
                    {"tags", Metrics::Object::array()},
                    {"model",
                     {{"type", "vit"},
                      {"hidden_d", 8},
                      {"n_patches", {7}},
                      {"mlp", {{"type", "gelu"}, {"ratio", 4}}}}},
                    {"optimizer", {{"type", "adam"}, {"lr", 0.005}}}};
  metrics.config_sha256 = std::string(64, 'a');
  metrics.keys = {{"place", {"model.weights"}},
                  {"execution", {"threads", "backend"}},
                  {"bookkeeping", Metrics::Object::array()},
                  {"label", {"name", "note", "tags"}},
                  {"replicate", {"seed"}},
                  {"set", Metrics::Object::array()}};
  metrics.execution = {{"threads", {{"value", 1}, {"derived", true}, {"why", "one a core"}}}};
  metrics.dataset = {{"type", "digits"},
                     {"sha256", std::string(64, 'b')},
                     {"train", 96},
                     {"validation", 0},
                     {"test", 64}};
  metrics.model = {{"type", "vit"}, {"parameters", 1000}, {"flops_per_image", 5000}};
  metrics.environment = {{"vitrine", "0.1.0"}, {"git", std::string(40, 'c')},
                         {"torch", "2.13.0"},  {"build", std::string(16, 'd')},
                         {"cpu", "x"},         {"isa", "avx2"},
                         {"threads", 1},       {"device", "cpu"}};
  metrics.metrics = {{"test/accuracy", {"max", "fraction"}},
                     {"test/loss", {"min", "nats"}},
                     {"train/loss", {"min", "nats"}}};
  metrics.add_epoch({{"epoch", 1}, {"step", 6}, {"train/loss", 2.25}, {"seconds", 0.5}});
  metrics.test = {
      {"test/loss", 1 - accuracy}, {"test/accuracy", accuracy}, {"checkpoint", "step-00000006"}};
  metrics.summary = {{"test/loss", 1 - accuracy},
                     {"test/accuracy", accuracy},
                     {"train/loss", 2.25},
                     {"seconds", 0.5}};
  metrics.last_checkpoint = "step-00000006";
  return metrics;
}

// Makes the folder `run` with this metrics.json.
inline void write_run(const std::filesystem::path& run, const Metrics& metrics) {
  std::filesystem::create_directories(run);
  metrics.write(run / "metrics.json");
}

// As read_run() would read it.
inline RunRecord record_of(const Metrics& metrics, const std::filesystem::path& path = "runs/1") {
  return {path, to_string(metrics.status), "", metrics, flat_config(metrics.config)};
}

inline std::vector<const RunRecord*> pointers_to(const std::vector<RunRecord>& runs) {
  std::vector<const RunRecord*> out;
  for (const RunRecord& run : runs) out.push_back(&run);
  return out;
}

// Runs of one config, whose seeds count from 0.
inline std::vector<RunRecord> seeds_of(const Metrics& example,
                                       const std::vector<double>& accuracies) {
  std::vector<RunRecord> out;
  for (const double accuracy : accuracies) {
    const auto seed = static_cast<int64_t>(out.size());
    Metrics metrics = example;
    metrics.seed = seed;
    metrics.config["seed"] = seed;
    for (Metrics::Object* values : {&metrics.test, &metrics.summary}) {
      (*values)["test/accuracy"] = accuracy;
      (*values)["test/loss"] = 1 - accuracy;
    }
    out.push_back(record_of(metrics, "runs/" + metrics.name + "/" + std::to_string(seed)));
  }
  return out;
}

}  // namespace vitrine
